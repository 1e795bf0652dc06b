export const respond = ['Good day.']
