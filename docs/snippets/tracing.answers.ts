const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 }

export const respond = [
  { calls: [{ name: 'scout', arguments: { task: 'Is it sunny in Oslo and in Rome?' } }], usage },
  {
    calls: [
      { name: 'weather', arguments: { city: 'Oslo' } },
      { name: 'weather', arguments: { city: 'Rome' } },
    ],
    usage,
  },
  { text: 'In both.', usage },
  { text: 'Sunny in Oslo and in Rome.', usage },
]
