export const respond = [
  { calls: [{ name: 'inbox' }] },
  { calls: [{ name: 'inbox' }] },
  { calls: [{ name: 'inbox' }] },
  { text: 'No mail yet for ada@example.com.' },
]
