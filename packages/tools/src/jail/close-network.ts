/** `closeNetwork` leaves a process no way to the network, for the Nodes whose permission model does not know it. */
import dgram from 'node:dgram'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import tls from 'node:tls'

/** From 25 on the model does it. Before, the ways that Node's own modules offer are taken away, once and for the process. */
export function closeNetwork(): void {
  // No arrow: some of what it stands for is called with `new`.
  function refuse() {
    throw new Error('There is no network here.')
  }
  Object.assign(net.Socket.prototype, { connect: refuse })
  // What `listen` comes to, and what makes the handle that it listens on.
  Object.assign(net.Server.prototype, { listen: refuse, _listen2: refuse })
  Object.assign(net, { _createServerHandle: refuse })
  // One that is made without a socket makes a handle, and a handle can listen.
  Object.assign(tls, { TLSSocket: refuse })
  // A question for an address is a message, too, to whom it may concern.
  for (const module of [dgram, dns, dns.promises])
    for (const [name, value] of Object.entries(module))
      if (typeof value === 'function') Object.assign(module, { [name]: refuse })
  syncBuiltinESMExports()
  for (const name of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest']) Reflect.deleteProperty(globalThis, name)
}
