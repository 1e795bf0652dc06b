export const respond = ['Rain writes its name on every window.', 'Nobody reads it.', 'It dances on the tin roof.']
