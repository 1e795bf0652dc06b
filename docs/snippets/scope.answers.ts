export const respond = ['Good day, Ada.']
