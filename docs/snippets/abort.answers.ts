const story = { text: 'Once upon a time there was a thread. '.repeat(40), pace: 5 }
export const respond = [story, story]
