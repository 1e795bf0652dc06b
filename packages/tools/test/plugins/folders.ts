import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { definePlugin, tool } from '@clew/core'

/** The test writes the folder's name here before it is loaded. */
const folder = new URL(import.meta.url).searchParams.get('folder') ?? ''

export default definePlugin({
  name: 'folders',
  capabilities: { folders: [folder] },
  tools: [
    tool({
      name: 'keep',
      execute: () => {
        writeFileSync(join(folder, 'note'), 'kept')
        return [readdirSync(folder), readFileSync(join(folder, 'note'), 'utf8')]
      },
    }),
    tool({ name: 'peek', execute: () => readdirSync(join(folder, '..')) }),
  ],
})
