import { guardedFetch, NetworkError } from '@clew/tools'

const fetch = guardedFetch({
  hosts: ['*.example.com', '169.254.169.254', '127.1', 'rebound.example'],
  resolve: async () => ['93.184.215.14', '10.0.0.7'], // what a name server says; left out, the system's is asked
})
for (const url of [
  'http://169.254.169.254/latest/meta-data/',
  'http://0x7f.1/',
  'https://www.example.com/',
  'https://ann:secret@www.example.com/',
  'https://www.example.com:22/',
  'https://elsewhere.example/',
]) {
  await fetch(url).catch((error: unknown) => {
    if (error instanceof NetworkError) console.log(error.problem, '·', error.message)
  })
}
