export const respond = ['I am.']
