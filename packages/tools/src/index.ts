/** The public face of `@clew/tools`. */
export { type LoadPluginOptions, loadPlugin } from './load-plugin/load-plugin.ts'
export type { Resolve } from './guard/net/connect.ts'
export {
  type GuardedFetch,
  guardedFetch,
  type NetworkOptions,
  type NetworkReply,
  type NetworkRequest,
} from './guard/net/guarded-fetch.ts'
export { NetworkError, type NetworkProblem } from './guard/net/network-error.ts'
export { type HttpMethod, type HttpRequestOptions, httpRequest } from './http-request/http-request.ts'
export { type WebFetchOptions, webFetch } from './web-fetch/web-fetch.ts'
