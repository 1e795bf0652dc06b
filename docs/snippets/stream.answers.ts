export const respond = [{ calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] }, { text: 'Oslo is wet, too.\n' }]
