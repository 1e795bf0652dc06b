/** `fakes()`: tools that touch nothing outside, for tests of the agents that have them. */
import { DefinitionError, type Tool } from '@clew/core'

/**
 * The same tools with their `fake` in the place of `execute`; names, schemas and approvals stay.
 * @throws DefinitionError for a tool that has no fake and could not be told apart from the real one
 */
export function fakes<Context>(tools: readonly Tool<never, Context>[]): Tool<never, Context>[] {
  return tools.map((tool) => {
    if (tool.fake) return { ...tool, execute: tool.fake }
    // Somebody else answers it, in a test as well.
    if (!tool.execute) return tool
    throw new DefinitionError(
      `Tool "${tool.name}" has no fake. Give it one: tool({ fake: () => …, … }), or write a tool of that name for the test.`,
    )
  })
}
