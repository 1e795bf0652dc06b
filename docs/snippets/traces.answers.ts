const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 }

export const respond = [
  { calls: [{ name: 'weather', arguments: { city: 'Oslo' } }], usage },
  { text: 'Yes: sunny.', usage },
]
