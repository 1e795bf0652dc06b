export const respond = [
  { calls: [{ name: 'search_documents', arguments: { query: 'power loom' } }] },
  { calls: [{ name: 'read_document', arguments: { document: 'looms.md' } }] },
  'Water did, from 1785 on (looms.md).',
]
