export const respond = [
  { calls: [{ name: 'weather', arguments: { city: 'Lisbon' } }] },
  { text: 'Take an umbrella: it is 14 °C in Lisbon, with light rain.' },
]
