export const respond = ['Hello.']
