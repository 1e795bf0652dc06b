/** JSON as types. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A JSON Schema document (draft-07 unless it says otherwise). */
export type JsonSchema = { [key: string]: unknown }

/** Whether a parsed JSON value has more than 500 levels: what is nested deeper breaks `JSON.stringify` sooner or later. */
export function isTooDeep(value: unknown, levels = 500): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  return Object.values(value).some((child) => isTooDeep(child, levels - 1))
}
