export const respond = [{ calls: [{ name: 'look', arguments: {} }] }, 'About 175 euros.']
