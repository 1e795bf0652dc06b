export const respond = [
  {
    calls: [
      { name: 'remember', arguments: { text: 'Ada and I met in Turin.' } },
      {
        name: 'patch_block',
        arguments: {
          name: 'profile',
          revision: 0,
          patch: [{ op: 'add', path: '', value: { name: 'Ada', likes: ['viola'] } }],
        },
      },
    ],
  },
  'Of course, Ada.',
  { calls: [{ name: 'recall', arguments: { query: 'place where we met' } }] },
  'In Turin.',
]
