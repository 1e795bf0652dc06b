export const respond = [{ calls: [{ name: 'search', arguments: { words: 'looms' } }] }, { text: 'One book, of 2024.' }]
