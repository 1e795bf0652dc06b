const call = (name: string, input: object) => ({ name, arguments: input })
export const respond = [
  {
    calls: [
      call('read_file', { path: '../secrets.txt' }),
      call('read_file', { path: '.env' }),
      call('glob', { pattern: '**/*.md' }),
    ],
  },
  { calls: [call('grep', { pattern: 'bob', ignoreCase: true }), call('read_file', { path: 'today.md' })] },
  { calls: [call('edit_file', { path: 'today.md', old: 'Call Bob.', new: 'Called Bob.' })] },
  'Done: the note says that you called Bob.',
]
