const letter = 'Write to Ada, in one sentence: 12 months at 35 euros each cost 420 euros.'
export const respond = [
  { calls: [{ name: 'task_counter', arguments: { task: 'What are 12 months at 35 euros each?' } }] },
  { calls: [{ name: 'calculator', arguments: { expression: '12 * 35' } }] },
  'They are 420 euros.',
  { calls: [{ name: 'task_writer', arguments: { task: letter } }] },
  'Dear Ada, a year is 420 euros.',
  'Ada has her letter.',
]
