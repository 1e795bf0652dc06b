import { existsSync, readdirSync, statfsSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

/** Every package and example that has tests. */
const projects = ['packages', 'examples']
  .flatMap((group) => readdirSync(group).map((name) => ({ name, root: `${group}/${name}` })))
  .filter(({ root }) => existsSync(`${root}/test`))

// Thousands of appends are made durable. A disk in memory does that sooner, where there is one with room.
const { bavail, bsize } = existsSync('/dev/shm') ? statfsSync('/dev/shm') : { bavail: 0, bsize: 0 }
if (bavail * bsize > 4e9) process.env.TMPDIR = '/dev/shm'

export default defineConfig({
  test: {
    // Processes are started and thousands of appends made durable while other files do the same.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'workspace', include: ['test/**/*.test.ts'] } },
      ...projects.map(({ name, root }) => ({
        extends: true as const,
        test: { name, root, include: ['test/**/*.test.ts'] },
      })),
    ],
  },
})
