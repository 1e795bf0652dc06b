export const respond = [
  { calls: [{ name: 'desk_clerk', arguments: { task: 'Settle 30 dollars.' } }] },
  { calls: [{ name: 'pay', arguments: { usd: 30 } }] },
  { text: 'The bill is settled.' },
  { text: 'Done.' },
]
