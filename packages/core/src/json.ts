/** JSON as types. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A JSON Schema document (draft-07 unless it says otherwise). */
export type JsonSchema = { [key: string]: unknown }
