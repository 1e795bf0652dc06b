const refund = (order: number, euros: number) => ({ name: 'refund', arguments: { order, euros } })
export const respond = [
  { calls: [refund(17, 20), refund(18, 80), refund(19, 900)] },
  'Orders 17 and 18 are refunded; 19 is beyond what I may do.',
]
