export const respond = [{ calls: [{ name: 'books_search', arguments: { words: 'looms' } }] }, { text: 'One, of 2024.' }]
