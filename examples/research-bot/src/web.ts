/** Web pages of the sites that the user named, and of no others: a model that reads pages must not choose whom to call. */
import { guardedFetch, readReply, type TextDocument } from '@clew/tools'

export class WebPages {
  readonly #origins = new Set<string>()

  get isEmpty(): boolean {
    return this.#origins.size === 0
  }

  /** Lets pages of this site in, and where the user named one of their own network, that one. */
  allow(url: string): void {
    this.#origins.add(new URL(url).origin)
  }

  /** @throws Error in words for the model: which sites are allowed, what the server answered, what the page is. */
  async fetch(url: string, signal: AbortSignal): Promise<TextDocument> {
    this.#check(url)
    const sites = [...this.#origins].map((origin) => new URL(origin))
    const fetch = guardedFetch({
      hosts: sites.map(({ hostname }) => hostname),
      allowPrivate: sites.map(
        ({ hostname, port, protocol }) => `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`,
      ),
      maxBytes: 5_000_000,
    })
    const reply = await fetch(url, { signal })
    if (reply.status >= 400) throw new Error(`${reply.url} answered with status ${reply.status}.`)
    this.#check(reply.url)
    const { title, text } = await readReply(reply, { signal })
    return { id: reply.url, title: title || reply.url, text }
  }

  #check(url: string): void {
    if (!URL.canParse(url)) throw new Error(`"${url}" is no whole URL.`)
    const { origin } = new URL(url)
    if (this.#origins.has(origin)) return
    throw new Error(
      `${origin} is not among the sources. Pages may be fetched from: ${[...this.#origins].join(', ') || 'nowhere'}.`,
    )
  }
}
