/** The commands of `clew`. A new one is a line here and a function somewhere; its package is loaded when it is asked for. */
import type { Command, Commands } from './dispatch.ts'

const tracing = (name: 'runs' | 'show' | 'cost' | 'tail') => ({
  needs: '@clew/tracing',
  load: async (): Promise<Command> => (await import('@clew/tracing/terminal'))[name],
})

export const commands: Commands = {
  runs: { about: 'the newest runs', ...tracing('runs') },
  show: { about: 'a run: what it did, when, and what it cost', ...tracing('show') },
  cost: { about: 'what was spent, by day, model, agent, tool or provider', ...tracing('cost') },
  studio: {
    about: 'the same as a page in the browser',
    needs: '@clew/studio @clew/tracing',
    load: async () => (await import('./studio.ts')).studio,
  },
  tail: { about: 'what runs do, while they do it', ...tracing('tail') },
}
