/** `indentedJson` writes JSON for reading, where it is any and the indents do not outgrow it. */
import { isTooDeep } from '@clew/core'

const maxChars = 500_000
const maxLevels = 50

/** What is no JSON, very long or nested very deep comes as it is. */
export function indentedJson(text: string): string {
  if (text.length > maxChars) return text
  try {
    const value: unknown = JSON.parse(text)
    return isTooDeep(value, maxLevels) ? text : JSON.stringify(value, null, 2)
  } catch {
    return text
  }
}
