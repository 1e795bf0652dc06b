import arxiv from '@clew/plugin-arxiv'
import wikipedia from '@clew/plugin-wikipedia'
import { Agent, openrouter } from 'clew'

const librarian = new Agent({
  name: 'librarian',
  model: openrouter(),
  plugins: [wikipedia({ language: 'de' }), arxiv()],
})
const { text } = await librarian.run('What can you look things up with?')
console.log(text)
