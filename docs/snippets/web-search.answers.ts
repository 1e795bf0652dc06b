export const respond = [
  { calls: [{ name: 'web_search', arguments: { query: 'days of holiday' } }] },
  'You have 30 days a year (handbook:holidays).',
]
