const question = { question: 'Which colour?', choices: ['white', 'blue'] }
export const respond = [{ calls: [{ name: 'ask_user', arguments: question }] }, 'The room is blue now, like the door.']
