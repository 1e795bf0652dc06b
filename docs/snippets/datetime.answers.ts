export const respond = [
  {
    calls: [
      { name: 'datetime', arguments: { action: 'now', zone: 'Asia/Tokyo' } },
      { name: 'datetime', arguments: { action: 'difference', until: '2026-10-25T02:30' } },
    ],
  },
  'It is 21:00 in Tokyo. Half past two comes twice tomorrow night: first in 12.5 hours.',
]
