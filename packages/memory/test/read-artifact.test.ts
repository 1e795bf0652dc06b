/** The tool with which a model reads on in what was put away. */
import { Agent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { describe, expect, it } from 'vitest'
import { readArtifactTool } from '../src/index.ts'

const asked: unknown[] = []
const texts: { [id: string]: string } = {
  a1: 'x'.repeat(25_000),
  wool: '🧶'.repeat(6_000),
  short: 'abc',
  halves: '\udc00abc\ud83e',
}
const read = readArtifactTool(async (id, range) => {
  asked.push([id, range])
  const text = texts[id]
  return text === undefined ? undefined : { text: text.slice(range.from, range.to), length: text.length }
})

/** Without the marks around what strangers wrote. */
const bare = (text: string) =>
  text.replace(/^<untrusted id="[^"]+" tool="read_artifact">\n.*\n/, '').replace(/\n<\/untrusted id="[^"]+">/, '')

/** What a model gets for its call. */
async function resultOf(input: object, tool = read): Promise<{ content: unknown; isError?: true }> {
  const model = scriptedModel([{ calls: [{ name: 'read_artifact', arguments: input }] }, 'ok'])
  const { state } = await new Agent({ name: 'a', model, tools: [tool] }).run('go')
  const message = state.messages[2]!
  const content = typeof message.content === 'string' ? bare(message.content) : message.content
  return { content, ...('isError' in message && { isError: message.isError }) }
}

describe('read_artifact', () => {
  it('is pure: a call that a crash cut off runs again', () => {
    expect(read).toMatchObject({ name: 'read_artifact', effect: 'pure' })
  })

  it('gives a page of at most 10,000 characters and says how to go on', async () => {
    expect(await resultOf({ id: 'a1' })).toEqual({
      content: `${'x'.repeat(10_000)}\n[Characters 0 to 10000 of 25000. Go on with "from": 10000.]`,
    })
    expect(asked.at(-1)).toEqual(['a1', { from: 0, to: 10_000 }])
    expect(await resultOf({ id: 'a1', from: 5, to: 24_000 })).toEqual({
      content: `${'x'.repeat(10_000)}\n[Characters 5 to 10005 of 25000. Go on with "from": 10005.]`,
    })
    expect(await resultOf({ id: 'a1', from: 24_990, to: 24_995 })).toEqual({
      content: 'xxxxx\n[Characters 24990 to 24995 of 25000. Go on with "from": 24995.]',
    })
    expect(await resultOf({ id: 'a1', from: 24_998 })).toEqual({
      content: 'xx\n[Characters 24998 to 25000 of 25000. This is the end.]',
    })
  })

  it('shows no more than was asked for, whatever the store gives', async () => {
    const careless = readArtifactTool(async () => ({ text: 'abcdefgh', length: 8 }))
    expect(await resultOf({ id: 'a1', to: 3 }, careless)).toEqual({
      content: 'abc\n[Characters 0 to 3 of 8. Go on with "from": 3.]',
    })
  })

  it('says which id to use when there is no such artifact', async () => {
    const { content } = await resultOf({ id: 'nope' })
    expect(content).toMatch(/There is no artifact "nope"\. Use an id exactly as a shortened result names it/)
  })

  it('says what is wrong with a range that is none', async () => {
    expect((await resultOf({ id: 'short', from: 2, to: 2 })).content).toMatch(/"to" must be greater than "from"/)
    expect((await resultOf({ id: 'short', from: 3 })).content).toMatch(/has 3 characters; none stands at 3/)
    expect(await resultOf({ id: 'short', from: -1 })).toHaveProperty('isError', true)
    expect(await resultOf({ from: 0 })).toHaveProperty('isError', true)
  })

  it('never cuts a character in half, and comes to the end all the same', async () => {
    const pages: string[] = []
    for (let from: number | undefined = 1; from !== undefined; ) {
      const { content } = await resultOf({ id: 'wool', from, to: from + 9_999 })
      const [, text, next] = /^(.*)\n\[.*?(?:"from": (\d+)\.|end\.)\]$/u.exec(String(content))!
      pages.push(text!)
      from = next === undefined ? undefined : Number(next)
    }
    expect(pages.join('')).toBe('🧶'.repeat(5_999))
    expect(await resultOf({ id: 'halves' })).toEqual({
      content: '\ufffdabc\ufffd\n[Characters 0 to 5 of 5. This is the end.]',
    })
    expect(await resultOf({ id: 'wool', from: 4, to: 5 })).toEqual({
      content: '🧶\n[Characters 4 to 6 of 12000. Go on with "from": 6.]',
    })
    expect(await resultOf({ id: 'wool', from: 4, to: 7 })).toEqual({
      content: '🧶\n[Characters 4 to 6 of 12000. Go on with "from": 6.]',
    })
  })
})
