import { existsSync, readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

/** Every package and example that has tests. */
const projects = ['packages', 'examples']
  .flatMap((group) => readdirSync(group).map((name) => ({ name, root: `${group}/${name}` })))
  .filter(({ root }) => existsSync(`${root}/test`))

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
