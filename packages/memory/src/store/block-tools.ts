/** `blockTools()`: tools by which a model reads and patches the blocks of working memory that it is given. */
import { DefinitionError, type Json, type StandardSchema, type Tool, tool } from '@clew/core'
import { checkJson } from './check.ts'
import { applyPatch } from './json-patch.ts'
import type { Block, Memory } from './memory.ts'
import { StaleBlockError } from './memory-error.ts'

export type BlockDefinition = {
  /** What a value has to be. Kept is what it makes of the value: its defaults filled in, unknown keys dropped. */
  schema: StandardSchema
  /** Tells the model what the block is for. */
  description: string
  /** Characters of the value's JSON. Default 4,000. */
  maxChars?: number
}

type Definitions = { [name: string]: BlockDefinition }
type Input = { [key: string]: unknown }

/**
 * `read_block` and `patch_block` (JSON Patch, with the revision that was read). A stale or wrong patch is answered with
 * the reason and, where it helps, the block as it is.
 * @throws DefinitionError when no block is given, or one has no schema or a wrong `maxChars`.
 */
export function blockTools(memory: Memory, blocks: Definitions): Tool<Input>[] {
  const names = Object.keys(blocks)
  if (names.length === 0)
    throw new DefinitionError('blockTools: no block is given. Name one: { plan: { schema, description } }.')
  for (const name of names) checkDefinition(name, blocks[name] as BlockDefinition)
  const list = names.map((name) => `- ${name}: ${blocks[name]?.description}`).join('\n')
  const nameInput = { type: 'string', enum: names }
  return [
    tool({
      name: 'read_block',
      description: `Reads a block of working memory, with the revision that patch_block asks for. The blocks:\n${list}`,
      input: { type: 'object', properties: { name: nameInput }, required: ['name'] },
      effect: 'pure',
      execute: async ({ name }) => view(name as string, await memory.readBlock(name as string)),
    }),
    tool({
      name: 'patch_block',
      description: `Changes a block of working memory by a JSON Patch (RFC 6902): all operations or none. Read it first. ${forms(blocks)}`,
      input: {
        type: 'object',
        properties: {
          name: nameInput,
          revision: {
            type: 'integer',
            minimum: 0,
            description: 'The one that was read; 0 for a block that is not there.',
          },
          patch: { type: 'array', items: operation, minItems: 1 },
        },
        required: ['name', 'revision', 'patch'],
      },
      // Run again, it finds the revision gone, and changes nothing.
      effect: 'idempotent',
      execute: ({ name, revision, patch }) =>
        patchBlock(memory, name as string, blocks[name as string] as BlockDefinition, revision as number, patch),
    }),
  ]
}

const operation = {
  type: 'object',
  properties: {
    op: { type: 'string', enum: ['add', 'remove', 'replace', 'move', 'copy', 'test'] },
    path: {
      type: 'string',
      description: 'A JSON Pointer such as /tasks/0/title; "" is the whole value, /tasks/- behind the last.',
    },
    from: { type: 'string', description: 'For move and copy.' },
    value: { description: 'For add, replace and test.' },
  },
  required: ['op', 'path'],
}

export type PatchResult =
  | { name: string; revision: number; value: Json }
  | { refused: string; name: string; revision: number; value: Json }
  | { refused: string }

/** Reads, patches, checks and writes one block; refuses by a result. A block that is not there is `{}` at revision 0. */
export async function patchBlock(
  memory: Memory,
  name: string,
  { schema, maxChars = 4000 }: BlockDefinition,
  revision: number,
  patch: unknown,
): Promise<PatchResult> {
  const current = await memory.readBlock(name)
  if ((current?.revision ?? 0) !== revision) return stale(name, revision, current)
  const patched = applyPatch(current?.value ?? {}, patch)
  if (!patched.ok) return { refused: patched.problem }
  const checked = await schema['~standard'].validate(patched.value)
  if (checked.issues)
    return { refused: `The block would not be what it has to be, so nothing was changed:\n${problems(checked.issues)}` }
  const { length } = checkJson(checked.value, `What the schema of block "${name}" makes of a value`)
  if (length > maxChars)
    return {
      refused: `The block would have ${length} characters of JSON; it may have ${maxChars}. Shorten it. Nothing was changed.`,
    }
  try {
    const written = await memory.writeBlock(name, checked.value as Json, revision)
    return { name, revision: written.revision, value: written.value }
  } catch (error) {
    if (error instanceof StaleBlockError) return stale(name, revision, error.current)
    throw error
  }
}

function view(name: string, block: Block | undefined) {
  return { name, revision: block?.revision ?? 0, value: block ? block.value : {} }
}

function stale(name: string, revision: number, current: Block | undefined): PatchResult {
  const refused = `The block is not at revision ${revision} any more. Below is what it is now; see whether your change is in it already, else patch this revision.`
  return { refused, ...view(name, current) }
}

type Issues = NonNullable<Awaited<ReturnType<StandardSchema['~standard']['validate']>>['issues']>

function problems(issues: Issues): string {
  const lines = issues.slice(0, 20).map(({ message, path = [] }) => {
    const keys = path.map((step) => String(typeof step === 'object' ? step.key : step))
    return `${keys.length > 0 ? `/${keys.join('/')}` : '(the whole value)'}: ${message}`
  })
  return [...lines, ...(issues.length > 20 ? [`… and ${issues.length - 20} more`] : [])].join('\n')
}

/** The JSON Schemas of those that can tell it. */
function forms(blocks: Definitions): string {
  const lines = Object.entries(blocks).flatMap(([name, { schema }]) => {
    try {
      const form = schema['~standard'].jsonSchema?.input({ target: 'draft-07' })
      return form ? [`- ${name}: ${JSON.stringify(form)}`] : []
    } catch {
      return []
    }
  })
  return lines.length > 0 ? `What the blocks have to be:\n${lines.join('\n')}` : ''
}

function checkDefinition(name: string, { schema, maxChars = 1 }: BlockDefinition): void {
  const where = `blockTools, block ${JSON.stringify(name)}`
  if (typeof schema?.['~standard']?.validate !== 'function')
    throw new DefinitionError(`${where}: the schema is no Standard Schema. Give one of zod, arktype or valibot.`)
  if (!Number.isSafeInteger(maxChars) || maxChars < 1)
    throw new DefinitionError(
      `${where}: maxChars is ${String(maxChars)}; give a whole number above 0, or leave it out.`,
    )
}
