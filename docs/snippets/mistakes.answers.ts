export const respond = [
  { calls: [{ name: 'weather', arguments: '{"city": "Rome"' }] },
  { calls: [{ name: 'weather', arguments: { city: 'Rome', days: 'three' } }] },
  { calls: [{ name: 'wether', arguments: { city: 'Rome', days: 3 } }] },
  { calls: [{ name: 'weather', arguments: { city: 'Rome', days: 3 } }] },
  { text: 'Sunny.' },
]
