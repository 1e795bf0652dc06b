import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'workspace', include: ['test/**/*.test.ts'] } },
      ...['core', 'openrouter', 'testing', 'clew'].map((name) => ({
        extends: true as const,
        test: { name, root: `packages/${name}`, include: ['test/**/*.test.ts'] },
      })),
      { extends: true, test: { name: 'research-bot', root: 'examples/research-bot', include: ['test/**/*.test.ts'] } },
    ],
  },
})
