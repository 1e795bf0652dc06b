/** `startProxy()`: stands before a server, and can lose its next reply together with the connection. */
import { connect, createServer, type Socket } from 'node:net'

export type Proxy = {
  port: number
  /** The next time that a client sends `word`, the server gets it, and its reply is lost with the connection. */
  loseReplyTo(word: string): void
  /** How many replies were lost. */
  readonly lost: number
  stop(): Promise<void>
}

export async function startProxy(target: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let word: string | undefined
  let lost = 0
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    let isDoomed = false
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
    client.on('data', (piece) => {
      if (word !== undefined && piece.includes(word)) {
        word = undefined
        isDoomed = true
      }
      upstream.write(piece)
    })
    upstream.on('data', (piece) => {
      if (!isDoomed) return void client.write(piece)
      if (!client.destroyed) lost += 1
      client.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    loseReplyTo(next) {
      word = next
    },
    get lost() {
      return lost
    },
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
