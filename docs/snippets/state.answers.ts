export const respond = [{ text: 'Good morning.' }]
