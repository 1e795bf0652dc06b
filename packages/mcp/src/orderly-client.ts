/** `OrderlyClient` hears what a server said before its answer before the answer. */
import { Client, type JSONRPCResponse } from '@modelcontextprotocol/client'

export class OrderlyClient extends Client {
  /** The SDK takes notifications a moment later and answers at once: progress that comes with the answer would be lost. */
  protected override _onresponse(response: JSONRPCResponse): void {
    queueMicrotask(() => super._onresponse(response))
  }
}
