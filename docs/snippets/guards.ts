import { guard, guardLoops, redact } from '@clew/middleware'
import { Agent, openrouter, tool } from 'clew'

const inbox = tool({
  name: 'inbox',
  effect: 'pure',
  execute: () => 'No mail. (token: ghp_0123456789abcdefghijABCDEFGHIJ012345)',
})
const clerk = new Agent({
  name: 'clerk',
  model: openrouter(),
  tools: [inbox],
  use: [
    guard({ input: ({ text }) => (text.includes('password') ? { stop: 'asks for a password' } : undefined) }),
    guard({ output: ({ text }) => ({ change: text.replaceAll('ada@example.com', '(address)') }) }),
    guardLoops({ tell: 2, stop: 3 }),
    redact(),
  ],
})
clerk.on('tool-end', (event) => console.log(event.content))

const looping = await clerk.run('Is there mail?')
console.log(looping.status, '·', looping.stop, '·', looping.text)

const refused = await clerk.run('What is the password?')
console.log(refused.status, '·', refused.stop, '·', refused.reason)
