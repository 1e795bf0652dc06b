export const respond = [
  { calls: [{ name: 'read_log' }] },
  { calls: [{ name: 'read_artifact', arguments: { id: 'log-0', from: 20_000, to: 20_018 } }] },
  'All is well.',
]
