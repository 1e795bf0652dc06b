export const respond = [
  { calls: [{ name: 'recall', arguments: { query: 'instrument Ada plays' } }] },
  'The viola.',
  'In Turin.',
]
