import { imageGenerate } from '@clew/tools'
import { Agent, openrouter } from 'clew'

const painter = openrouter('google/gemini-2.5-flash-image', { modalities: ['image', 'text'] })
const artist = new Agent({
  name: 'artist',
  model: openrouter(),
  tools: [imageGenerate({ model: painter })],
  limits: { usd: 0.5 }, // pictures count
})
artist.on('tool-end', ({ content }) => {
  for (const part of typeof content === 'string' ? [] : content)
    console.log(part.type, part.type === 'text' ? part.text.trim() : part.type === 'image' && part.url.slice(0, 22))
})
const result = await artist.run('Draw a ball of red thread.')
console.log(result.text, result.usage.requests, 'model calls')
