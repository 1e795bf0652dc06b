export const respond = [{ text: 'Rain writes its name on every window.', usage: { completion_tokens: 9 } }]
