export const respond = [
  { text: 'It is The Loom, of 1987.' },
  { text: '```json\n{"title": "The Loom", "year": 1987}\n```' },
]
