const value = { goal: 'Move house', open: ['pack', 'call the movers'], done: [] }
const patch = (revision: number, ...operations: object[]) => ({
  calls: [{ name: 'patch_block', arguments: { name: 'plan', revision, patch: operations } }],
})
export const respond = [
  patch(0, { op: 'add', path: '', value }),
  'It is planned.',
  { calls: [{ name: 'read_block', arguments: { name: 'plan' } }] },
  patch(1, { op: 'test', path: '/open/0', value: 'pack' }, { op: 'move', from: '/open/0', path: '/done/-' }),
  'One thing less.',
]
