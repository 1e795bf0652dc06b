/** What our client does in each scenario of the conformance suite. */
import type { Json, Tool } from '@clew/core'
import { callTool } from '@clew/core'
import {
  type AuthProvider,
  ClientCredentialsProvider,
  CrossAppAccessProvider,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  PrivateKeyJwtProvider,
  requestJwtAuthorizationGrant,
} from '@modelcontextprotocol/client'
import { mcp } from '../../src/index.ts'

type Credentials = { [name: string]: string }

export async function play(scenario: string, url: string, context: Credentials): Promise<void> {
  const person = new Person(context)
  const server = await mcp({
    url,
    ...(scenario.startsWith('auth/') && {
      authProvider: providerFor(scenario, context) ?? person,
      waitForAuthorization: () => person.waitForAuthorization(),
    }),
    onElicitation: async () => ({ action: 'accept', content: {} }),
  })
  try {
    for (const tool of server.tools()) await use(tool)
  } finally {
    await server.close()
  }
}

async function use(tool: Tool): Promise<void> {
  const input: { [name: string]: Json } = tool.name.endsWith('add_numbers') ? { a: 5, b: 3 } : {}
  const running = callTool([tool], { name: tool.name, arguments: input }, { caller: 'conformance' })
  for (;;) {
    const next = await running.next()
    if (!next.done) continue
    if (next.value.type === 'tool-end' && !next.value.isError) return
    throw new Error(JSON.stringify(next.value))
  }
}

function providerFor(scenario: string, context: Credentials): AuthProvider | OAuthClientProvider | undefined {
  const clientId = context.client_id as string
  const clientSecret = context.client_secret as string
  switch (scenario) {
    case 'auth/client-credentials-basic':
      return new ClientCredentialsProvider({ clientId, clientSecret })
    case 'auth/client-credentials-jwt':
      return new PrivateKeyJwtProvider({
        clientId,
        privateKey: context.private_key_pem as string,
        algorithm: context.signing_algorithm ?? 'ES256',
      })
    case 'auth/cross-app-access-complete-flow':
      return new CrossAppAccessProvider({
        clientId,
        clientSecret,
        async assertion({ authorizationServerUrl, resourceUrl, scope, fetchFn }) {
          const { jwtAuthGrant } = await requestJwtAuthorizationGrant({
            tokenEndpoint: context.idp_token_endpoint as string,
            audience: authorizationServerUrl,
            resource: resourceUrl,
            idToken: context.idp_id_token as string,
            clientId: context.idp_client_id as string,
            ...(scope !== undefined && { scope }),
            fetchFn,
          })
          return jwtAuthGrant
        },
      })
    default:
      return undefined
  }
}

/** Keeps what the flow gives in memory, and agrees to everything as soon as it is asked. */
class Person implements OAuthClientProvider {
  readonly redirectUrl = 'http://127.0.0.1:9/callback'
  readonly clientMetadataUrl = 'https://conformance-test.local/client-metadata.json'
  readonly clientMetadata: OAuthClientMetadata = {
    client_name: 'clew',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  }
  readonly #kept = new Map<string, unknown>()
  #callback = Promise.withResolvers<URLSearchParams>()

  constructor({ client_id, client_secret }: Credentials) {
    if (client_id !== undefined) this.#kept.set('client', { client_id, client_secret })
  }

  async waitForAuthorization(): Promise<URLSearchParams> {
    const query = await this.#callback.promise
    this.#callback = Promise.withResolvers()
    return query
  }

  async redirectToAuthorization(url: URL): Promise<void> {
    const { headers } = await fetch(url, { redirect: 'manual' })
    this.#callback.resolve(new URL(headers.get('location') as string).searchParams)
  }

  clientInformation = () => this.#kept.get('client') as never
  saveClientInformation = (given: unknown) => void this.#kept.set('client', given)
  tokens = () => this.#kept.get('tokens') as never
  saveTokens = (given: unknown) => void this.#kept.set('tokens', given)
  discoveryState = () => this.#kept.get('discovery') as never
  saveDiscoveryState = (given: unknown) => void this.#kept.set('discovery', given)
  codeVerifier = () => this.#kept.get('verifier') as string
  saveCodeVerifier = (given: string) => void this.#kept.set('verifier', given)
}
