export const respond = [
  { calls: [{ name: 'cashier', arguments: { task: 'Refund 80 euros for order 17.' } }] },
  { calls: [{ name: 'refund', arguments: { order: 17, euros: 80 } }] },
  'Done: 80 euros for order 17.',
  'The 80 euros are on their way.',
]
