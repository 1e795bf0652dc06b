export const respond = [
  { calls: [{ name: 'find_tools', arguments: { query: 'archiving contracts' } }] },
  { calls: [{ name: 'archive_contract' }] },
  'It is put away.',
]
