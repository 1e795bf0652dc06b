export const respond = [{ text: 'Hello Ada.' }, { text: 'Ada.' }, { text: 'Hello.' }]
