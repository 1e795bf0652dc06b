const run = (code: string) => ({ calls: [{ name: 'run_javascript', arguments: { code } }] })
export const respond = [
  run('[3, 8, 21, 34, 55].filter(even).length'),
  run('const even = n => n % 2 === 0\nconsole.log(require("fs").readdirSync("/"))'),
  run('const even = n => n % 2 === 0;\n[3, 8, 21, 34, 55].filter(even).length'),
  'Two of them: 8 and 34.',
]
