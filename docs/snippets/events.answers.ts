export const respond = [{ calls: [{ name: 'weather', arguments: { city: 'Rome' } }] }, { text: 'It is sunny in Rome.' }]
