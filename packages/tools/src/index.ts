/** The public face of `@clew/tools`. */
export { type LoadPluginOptions, loadPlugin } from './load-plugin/load-plugin.ts'
