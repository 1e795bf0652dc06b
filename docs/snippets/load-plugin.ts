import { loadPlugin } from '@clew/tools'
import { Agent, openrouter } from 'clew'

const where = import.meta.resolve('@clew/plugin-github')
// Allow nothing at first: the error says what it wants.
await loadPlugin(where, { allow: {}, isolate: true }).catch((error) => console.log(error.message))

const allow = { hosts: ['api.github.com'], secrets: ['GITHUB_TOKEN'] }
const github = await loadPlugin(where, { allow, isolate: true })
const maintainer = new Agent({ name: 'maintainer', model: openrouter(), plugins: [github] })
console.log(`\n${(await maintainer.run('What can you do?')).text}`)
github.close()
