export const respond = [
  { calls: [{ name: 'refund', arguments: { order: 17, euros: 80 } }] },
  { text: 'Order 17 is refunded.' },
]
