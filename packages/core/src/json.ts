/** JSON as types. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A JSON Schema document (draft-07 unless it says otherwise). */
export type JsonSchema = { [key: string]: unknown }

/** What is nested deeper breaks `JSON.stringify` sooner or later; nobody means it. */
export const maxDepth = 500

/** Whether a parsed JSON value has more than `levels` levels. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  return Object.values(value).some((child) => isDeeperThan(child, levels - 1))
}
