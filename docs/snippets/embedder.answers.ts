export const respond = [{ calls: [{ name: 'recall', arguments: { query: 'when the train leaves' } }] }, 'Before nine.']
