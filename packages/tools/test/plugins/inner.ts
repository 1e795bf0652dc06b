import { definePlugin, tool } from '@clew/core'

export default definePlugin({
  name: 'inner',
  capabilities: { hosts: ['127.0.0.1'] },
  tools: ({ fetch }) => [
    tool({ name: 'look', execute: async (_, { signal }) => (await fetch('https://127.0.0.1/', { signal })).text() }),
  ],
})
