export const respond = [
  { calls: [{ name: 'dig', arguments: { depth: 1 } }] },
  { calls: [{ name: 'dig', arguments: { depth: 2 } }] },
  { text: 'No gold in the first two metres.' },
]
