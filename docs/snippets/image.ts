import { Agent, image, openrouter } from 'clew'

const pixel = Uint8Array.from(
  atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='),
  (c) => c.charCodeAt(0),
)

const agent = new Agent({ name: 'eye', model: openrouter() })
const result = await agent.run([
  { type: 'text', text: 'What is in the picture?' },
  await image(pixel), // or a URL, a data URL, a Blob, a path: await image('./cat.png')
])
console.log(result.text)
