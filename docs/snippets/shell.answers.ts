const bash = (command: string) => ({ calls: [{ name: 'shell', arguments: { command } }] })
export const respond = [
  bash('grep fail log.txt > failures; cat /etc/passwd'),
  bash('wc -l < failures'),
  { calls: [{ name: 'run_command', arguments: { command: 'basename', args: ['/srv/app'] } }] },
  'Two failures; the name is app.',
]
