type Status = 'open' | 'active' | 'done'
const write = (...states: Status[]) => {
  const items = ['Clear the room', 'Paint the walls'].map((text, at) => ({ text, status: states[at] }))
  return { calls: [{ name: 'plan', arguments: { items } }] }
}
export const respond = [write('active', 'open'), write('done', 'active'), 'It is painted.']
