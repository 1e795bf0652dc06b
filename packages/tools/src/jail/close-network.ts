/** `closeNetwork` leaves a process no way to the network, for the Nodes whose permission model does not know it. */
import dgram from 'node:dgram'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

/** From 25 on the model does it. Before, the ways that Node's own modules offer are taken away, once and for the process. */
export function closeNetwork(): void {
  const refuse = () => {
    throw new Error('There is no network here.')
  }
  Object.assign(net.Socket.prototype, { connect: refuse })
  Object.assign(net.Server.prototype, { listen: refuse })
  Object.assign(dgram.Socket.prototype, { bind: refuse, send: refuse, connect: refuse })
  for (const [name, value] of Object.entries(dns))
    if (typeof value === 'function') Object.assign(dns, { [name]: refuse })
  syncBuiltinESMExports()
  for (const name of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest']) Reflect.deleteProperty(globalThis, name)
}
