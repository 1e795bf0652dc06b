/** Writes what this version saves: `node packages/core/test/saved/write.ts 1`. Only for a version that was not released. */
import { writeFileSync } from 'node:fs'
import { save, scenarios } from './scenarios.ts'

const saved: { [name: string]: unknown } = {}
for (const [name, scenario] of Object.entries(scenarios)) saved[name] = await save(scenario)
const file = new URL(`./v${process.argv[2]}.json`, import.meta.url)
writeFileSync(file, `${JSON.stringify(saved, null, 1)}\n`)
