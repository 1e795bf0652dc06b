/** A web server on loopback that counts connections, and a way to play hosts of the internet on it. */
import { createServer, type RequestListener } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import { onTestFinished, vi } from 'vitest'

export type WebServer = { url: string; host: string; port: number; connections: () => number }

/** Closed when the test is over. */
export async function serve(listener: RequestListener): Promise<WebServer> {
  let connections = 0
  const server = createServer(listener)
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, port, connections: () => connections }
}

/** A server below HTTP. */
export async function serveRaw(talk: (socket: Socket) => void): Promise<WebServer> {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = net.createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    talk(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, port, connections: () => connections }
}

/**
 * Until the test is over every connection goes to `server`, wherever it was meant to go, and says that it got there.
 * `said` makes it say otherwise. Returns where connections were meant to go.
 */
export function playInternet(server: WebServer, said?: string): string[] {
  const asked: string[] = []
  const spy = vi.spyOn(net, 'connect').mockImplementation(((options: net.TcpNetConnectOpts) => {
    const { host = '', port, lookup } = options
    const socket = new net.Socket()
    const go = (address: string) => {
      asked.push(`${address}:${port}`)
      Object.defineProperty(socket, 'remoteAddress', { value: said ?? address })
      socket.connect({ host: '127.0.0.1', port: server.port })
    }
    if (net.isIP(host)) go(host)
    else lookup?.(host, { all: false }, (_, address) => go(address as string))
    return socket
  }) as typeof net.connect)
  onTestFinished(() => {
    spy.mockRestore()
  })
  return asked
}
