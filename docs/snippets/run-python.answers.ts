const run = (code: string) => ({ calls: [{ name: 'run_python', arguments: { code } }] })
export const respond = [
  run('open("/etc/localtime")'),
  run('import datetime\nprint(f"{datetime.date(2000, 2, 29):%A}")'),
  'A Tuesday.',
]
