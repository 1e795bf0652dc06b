/** What a plugin may use of the world: what it declared, and no more. */
import { DefinitionError, InputError, isClewError } from './errors.ts'

/** What a plugin reaches outside of its own code, told before anything runs. Left out: nothing of that kind. */
export type Capabilities = {
  /** Host names, `api.example.com` or `*.example.com`, over https. */
  hosts?: readonly string[]
  /** Folders that it reads or writes, as absolute paths. */
  folders?: readonly string[]
  /** Commands that it runs, by name or absolute path. */
  commands?: readonly string[]
  /** Environment variables that hold its keys. */
  secrets?: readonly string[]
}

/** What a command came to. */
export type CommandResult = { code: number; stdout: string; stderr: string }

export type CommandOptions = { input?: string; signal?: AbortSignal }

/** Given to a plugin's `tools` and `middleware`. */
export type PluginHost<Config = unknown> = {
  readonly config: Config
  /**
   * `fetch` that reaches the declared hosts only, on redirects too. Everything else, and a host that cannot be reached,
   * rejects with an `InputError` that the model can act on; an abort rejects with the reason of its signal.
   */
  readonly fetch: typeof globalThis.fetch
  /** Runs a declared command, without a shell. Only where the plugin was loaded by `loadPlugin` of `@clew/tools`. */
  run(command: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /** The declared secrets that are set. */
  readonly secrets: { readonly [name: string]: string | undefined }
}

/** What stands behind the host, where a program or a test gives something else than the defaults. */
export type HostParts = Partial<Pick<PluginHost, 'fetch' | 'run' | 'secrets'>>

export function makeHost<Config>(
  plugin: string,
  config: Config,
  { hosts = [], commands = [], secrets: names = [] }: Capabilities,
  parts: HostParts,
): PluginHost<Config> {
  const { fetch: inner = globalThis.fetch, run = notLoaded(plugin), secrets = environment() } = parts
  return {
    config,
    fetch: limitedFetch(plugin, hosts, inner),
    async run(command, args, options) {
      if (!commands.includes(command)) throw undeclared(plugin, 'command', command, commands)
      return run(command, args, options)
    },
    secrets: Object.fromEntries(names.map((name) => [name, secrets[name]])),
  }
}

/** Where there is no process there is no environment. */
function environment(): { [name: string]: string | undefined } {
  return (globalThis as { process?: { env?: { [name: string]: string | undefined } } }).process?.env ?? {}
}

function notLoaded(plugin: string): PluginHost['run'] {
  return () => {
    throw new DefinitionError(
      `Plugin "${plugin}" runs commands: load it with loadPlugin() of @clew/tools, which runs them, or give it a run of your own.`,
    )
  }
}

function undeclared(plugin: string, what: string, value: string, declared: readonly string[]): InputError {
  return new InputError(
    `Plugin "${plugin}" asked for the ${what} ${JSON.stringify(value)}, which its capabilities do not declare (${declared.join(', ') || 'none'}).`,
  )
}

const maxRedirects = 5

/** Each hop is looked at before it is asked; what was meant for one origin is not sent to the next. */
function limitedFetch(plugin: string, hosts: readonly string[], inner: typeof fetch): typeof fetch {
  const check = (url: URL) => {
    if (url.protocol !== 'https:') throw undeclared(plugin, 'address', url.href, hosts)
    if (!hosts.some((host) => matches(url.hostname, host))) throw undeclared(plugin, 'host', url.hostname, hosts)
  }
  return async (input, init) => {
    let request = new Request(input, { ...init, redirect: 'manual' })
    for (let hops = 0; ; hops++) {
      const url = new URL(request.url)
      check(url)
      const next = request.clone()
      const response = await reach(inner, request)
      const location = response.headers.get('location')
      if (response.status < 300 || response.status > 399 || location === null) return response
      if (hops === maxRedirects) throw new InputError(`${url.origin} redirects more than ${maxRedirects} times.`)
      await response.body?.cancel()
      request = follow(next, response.status, new URL(location, url))
    }
  }
}

async function reach(inner: typeof fetch, request: Request): Promise<Response> {
  try {
    return await inner(request)
  } catch (cause) {
    request.signal.throwIfAborted()
    if (isClewError(cause)) throw cause
    const { host } = new URL(request.url)
    throw new InputError(`${host} could not be reached. Try again later, or go on without it.`, { cause })
  }
}

function follow(request: Request, status: number, to: URL): Request {
  const headers = new Headers(request.headers)
  if (to.origin !== new URL(request.url).origin) for (const name of [...headers.keys()]) headers.delete(name)
  const keepsBody = status === 307 || status === 308
  const { method, signal } = request
  if (!keepsBody)
    return new Request(to, { method: method === 'HEAD' ? 'HEAD' : 'GET', headers, signal, redirect: 'manual' })
  return new Request(to, {
    method,
    headers,
    signal,
    redirect: 'manual',
    body: request.body,
    ...(request.body && { duplex: 'half' }),
  } as RequestInit)
}

function matches(name: string, pattern: string): boolean {
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern
}
