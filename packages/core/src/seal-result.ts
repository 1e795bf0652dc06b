/** What becomes a result passes the layers that look at results, whoever gave it, before it is logged. */
import type { Content } from './message.ts'
import type { Middleware } from './middleware.ts'

/** A layer that fails withholds the result: what it was to take out is not shown. */
export function sealResult(use: readonly Middleware[], content: Content): Content {
  return use.reduceRight<Content>((result, layer) => {
    if (!layer.result) return result
    try {
      return layer.result(result)
    } catch {
      return `[The result was withheld: middleware "${layer.name}" failed.]`
    }
  }, content)
}
