export const respond = [
  { calls: [{ name: 'transfer_to_clerk', arguments: {} }] },
  { calls: [{ name: 'refund', arguments: { order: 17 } }] },
  'Your money is on its way.',
]
