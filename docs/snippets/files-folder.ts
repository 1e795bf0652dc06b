import { applyPatch, fileTools, folder, readFile, secretNames } from '@clew/tools'

const project = folder('.', {
  write: 'allowed', // tools change files without asking; the default asks, 'never' has no tools that write
  deny: [...secretNames, 'private'], // no tool reads, writes or shows these
  skip: ['node_modules', 'dist'], // shown by name, not searched
  maxBytes: 1_000_000, // of a file
})
const uploads = folder('docs', { write: 'never', untrusted: true }) // strangers' files: what is read stands between marks

console.log([...fileTools(project), applyPatch(project)].map(({ name }) => name).join(' '))
console.log(fileTools(uploads).length, readFile(uploads).untrusted)
