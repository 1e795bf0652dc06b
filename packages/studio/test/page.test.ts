/** The pages in a browser. What they looked like stays in `test/out`. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Agent, tool } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'
import { localTraces, type SpanData, trace } from '@clew/tracing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStudio } from '../src/index.ts'
import { chromiumPath, openBrowser } from './browser.ts'
import { story, weeks } from './sample.ts'
import { calls, chat, gave, type Sketch, says, spanId, traceId, traceOf } from './spans.ts'
import { openWorld } from './store.ts'

const out = join(import.meta.dirname, 'out')
mkdirSync(out, { recursive: true })

let browser: Browser
beforeAll(async () => {
  if (chromiumPath) browser = await openBrowser()
})
afterAll(() => browser?.close())

type Look = { width?: number; scheme?: 'light' | 'dark' }

/** A page that fails the test when a script fails, the policy stops something, or another server is asked. */
async function open(url: string, hash = '', { width = 1280, scheme = 'light' }: Look = {}) {
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme: scheme })
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('request', (request) => request.url().startsWith(url) || problems.push(`asked ${request.url()}`))
  await page.goto(url + hash)
  const shot = (name: string) => page.screenshot({ path: join(out, `${name}-${width}-${scheme}.png`) })
  return { page, problems, shot, [Symbol.asyncDispose]: () => page.close() }
}

const looks: Look[] = [
  { width: 1280, scheme: 'light' },
  { width: 1280, scheme: 'dark' },
  { width: 360, scheme: 'light' },
  { width: 360, scheme: 'dark' },
]
const isTooWide = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
const text = (page: Page, selector: string) => page.locator(selector).first().textContent()
const rows = (page: Page) => page.locator('[role=treeitem]')

describe.skipIf(!chromiumPath)('the studio', () => {
  it('is readable on every page, wide and narrow, in light and dark', async () => {
    const now = Date.now()
    await using world = await openWorld([...story(now - 60_000), ...weeks(now - 7_200_000, 14)])
    for (const look of looks) {
      await using view = await open(world.studio.url, '', look)
      const { page } = view
      await page.locator('tbody tr').first().waitFor()
      await view.shot('runs')
      expect(await isTooWide(page)).toBe(false)
      await page.getByText('Who gave Theseus').click()
      await rows(page).first().waitFor()
      await view.shot('run')
      expect(await isTooWide(page)).toBe(false)
      await rows(page).filter({ hasText: 'turn 3' }).click()
      await page.getByText('The cached prefix broke').waitFor()
      await view.shot('span')
      expect(await isTooWide(page)).toBe(false)
      if (look.width === 360) await page.getByRole('button', { name: 'Waterfall' }).click()
      await page.getByRole('link', { name: 'Activity' }).click()
      await page.getByRole('heading', { name: 'Providers' }).waitFor()
      await view.shot('activity')
      expect(await isTooWide(page)).toBe(false)
      expect(view.problems).toEqual([])
    }
  })

  it('has enough contrast for small text, in light and dark', async () => {
    await using world = await openWorld(story(Date.now()))
    for (const scheme of ['light', 'dark'] as const) {
      await using view = await open(world.studio.url, `#/runs/${traceId('story')}?span=${spanId('story', 'turn 3')}`, {
        scheme,
      })
      await view.page.getByText('The cached prefix broke').waitFor()
      const weak = await view.page.evaluate(weakTexts)
      expect(weak, scheme).toEqual([])
    }
  })

  it('finds a run by words, status, agent and model, and keeps the choice in the link', async () => {
    await using world = await openWorld([...story(Date.now() - 1_000), ...weeks(Date.now() - 7_200_000, 3)])
    await using view = await open(world.studio.url)
    const { page } = view
    const found = page.locator('tbody tr')
    await found.first().waitFor()
    const all = await found.count()
    await page.keyboard.press('/')
    await page.keyboard.type('Theogony')
    await expect.poll(() => found.count()).toBe(1)
    expect(page.url()).toContain('text=Theogony')
    await page.reload()
    await expect.poll(() => found.count()).toBe(1)
    await page.getByRole('searchbox').fill('no such words')
    await page.getByRole('heading', { name: 'No run fits' }).waitFor()
    await page.getByRole('link', { name: 'show all runs' }).click()
    await expect.poll(() => found.count()).toBe(all)
    await page.getByLabel('agent').selectOption('librarian')
    await page.getByLabel('model').selectOption('deepseek/deepseek-v3.2')
    await expect.poll(() => found.count()).toBe(1)
    await page.getByLabel('status').selectOption('failed')
    await page.getByRole('heading', { name: 'No run fits' }).waitFor()
    expect(view.problems).toEqual([])
  })

  it('shows what went in and out of each span', async () => {
    await using world = await openWorld(story(Date.now()))
    await using view = await open(world.studio.url, `#/runs/${traceId('story')}`)
    const { page } = view
    const detail = page.locator('.detail')
    await detail.getByText('Ariadne, the daughter of King Minos').waitFor()
    await rows(page).filter({ hasText: 'turn 1' }).first().click()
    await detail.getByText('I can look for both at once').waitFor()
    await detail.getByText('thread of the labyrinth').waitFor()
    await detail.getByText('Tools', { exact: true }).click()
    await detail.getByText('Searches the library.').waitFor()
    await rows(page).filter({ hasText: 'read_page' }).click()
    await detail.getByText('The library did not answer').first().waitFor()
    await detail.getByText('Ariadne on Naxos').waitFor()
    await rows(page).filter({ hasText: 'turn 2' }).first().click()
    await detail.getByText('The cached prefix holds.').waitFor()
    expect(await detail.textContent()).toContain('1,152 of 1,530 input tokens')
    expect(view.problems).toEqual([])
  })

  it('copies a run as a test, and gives it as a file', async () => {
    await using world = await openWorld(story(Date.now()))
    await using view = await open(world.studio.url, `#/runs/${traceId('story')}`)
    const { page } = view
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'Copy as test' }).click()
    await page.getByText('Copied.').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('scriptedModel([')
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ])
    expect(file.suggestedFilename()).toBe(`${traceId('story')}.json`)
    expect(view.problems).toEqual([])
  })

  it('works with the keyboard alone', async () => {
    await using world = await openWorld([...story(Date.now()), ...weeks(Date.now() - 7_200_000, 1)])
    await using view = await open(world.studio.url)
    const { page } = view
    await page.locator('tbody tr').first().waitFor()
    await page.locator('tbody a').first().focus()
    const focused = () => page.evaluate(() => document.activeElement?.textContent)
    await page.keyboard.press('ArrowDown')
    expect(await focused()).not.toContain('Theseus')
    await page.keyboard.press('k')
    expect(await focused()).toContain('Theseus')
    await page.keyboard.press('Enter')
    await rows(page).first().waitFor()
    await page.locator('[role=tree]').focus()
    const chosen = () => text(page, '[aria-selected=true] .name')
    await page.keyboard.press('ArrowDown')
    expect(await chosen()).toContain('turn 1')
    await page.keyboard.press('End')
    await expect.poll(chosen).toContain('turn 4')
    await page.keyboard.press('Home')
    await expect.poll(chosen).toContain('librarian')
    await page.keyboard.press('ArrowLeft')
    await expect.poll(() => rows(page).count()).toBe(1)
    await page.keyboard.press('ArrowRight')
    await expect.poll(() => rows(page).count()).toBe(13)
    await page.keyboard.press('ArrowRight')
    await expect.poll(chosen).toContain('turn 1')
    await page.keyboard.press('ArrowLeft')
    await expect.poll(chosen).toContain('librarian')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'Runs' }).waitFor()
    await page.locator('tbody tr').first().waitFor()
    // From the first key on, what has the focus is seen.
    for (let press = 0; press < 10; press += 1) {
      await page.keyboard.press('Tab')
      expect(await page.evaluate(hasRing)).toBe(true)
    }
  })

  it('shows a run while it goes on', async () => {
    await using world = await openWorld()
    await using view = await open(world.studio.url)
    const { page } = view
    await page.getByRole('heading', { name: 'No runs yet' }).waitFor()
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
    await view.shot('empty')
    const provider = localTraces({ path: world.path })
    const [gate, last] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const running = new Agent({
      name: 'walker',
      model: scriptedModel([
        { calls: [{ name: 'weather', arguments: { city: 'Lisbon' } }] },
        { text: 'Yes, take a hat.', after: last.promise },
      ]),
      tools: [tool({ name: 'weather', input: { type: 'object' }, execute: () => gate.promise.then(() => 'sunny') })],
      use: [trace({ tracerProvider: provider, content: true })],
    })
      .run('Is it a day for a walk?')
      .result()
    await page.getByText('Is it a day for a walk?').waitFor()
    expect(await text(page, 'tbody .status')).toBe('Running')
    await page.getByText('Is it a day for a walk?').click()
    await rows(page).filter({ hasText: 'weather' }).waitFor()
    expect(await page.locator('.line.running').count()).toBe(2)
    await view.shot('live')
    gate.resolve()
    await rows(page).filter({ hasText: 'turn 2' }).waitFor()
    last.resolve()
    expect((await running).text).toBe('Yes, take a hat.')
    await page.locator('.head .status', { hasText: 'Done' }).waitFor()
    await page.locator('.detail').getByText('Yes, take a hat.').waitFor()
    expect(await page.locator('.line.running').count()).toBe(0)
    await provider.shutdown()
    expect(view.problems).toEqual([])
  })

  it('misses nothing that happens before changes are heard', async () => {
    await using world = await openWorld()
    const page = await browser.newPage()
    const isWritten = Promise.withResolvers<void>()
    await page.route('**/api/changes', async (route) => {
      await isWritten.promise
      await route.continue()
    })
    await page.goto(world.studio.url)
    await page.getByRole('heading', { name: 'No runs yet' }).waitFor()
    world.traces.add(story(Date.now()))
    isWritten.resolve()
    await page.getByText('Who gave Theseus').waitFor()
    await page.close()
  })

  it('says when the server is gone, and keeps what it showed', async () => {
    const world = await openWorld(story(Date.now()))
    await using view = await open(world.studio.url)
    await view.page.locator('tbody tr').first().waitFor()
    await view.page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
    await world[Symbol.asyncDispose]()
    await view.page.getByRole('status').filter({ hasText: 'Not connected' }).waitFor()
    await view.page.getByRole('searchbox').fill('x')
    await view.page.getByRole('alert').getByText('Is it still running in the terminal?').waitFor()
    expect(await view.page.locator('tbody tr').count()).toBe(1)
    await view.shot('gone')
  })

  it('says where to go when a run or a page is not there', async () => {
    await using world = await openWorld()
    await using view = await open(world.studio.url, '#/runs/none')
    await view.page.getByRole('alert').getByText('not in the store').waitFor()
    await view.page.evaluate(() => {
      location.hash = '#/nowhere'
    })
    await view.page.getByRole('heading', { name: 'There is no such page' }).waitFor()
    await view.page.evaluate(() => {
      location.hash = '#/activity'
    })
    await view.page.getByRole('heading', { name: 'Nothing ran in this time' }).waitFor()
  })

  it('changes days and measures', async () => {
    await using world = await openWorld(weeks(Date.now() - 1_000, 14))
    await using view = await open(world.studio.url, '#/activity')
    const { page } = view
    await expect.poll(() => page.locator('.column').count()).toBe(7)
    await page.getByText('30 days').click()
    await expect.poll(() => page.locator('.column').count()).toBe(30)
    await page.getByText('Runs', { exact: true }).last().click()
    await page.getByRole('img', { name: /^Runs by day, at most \d/ }).waitFor()
    expect(page.url()).toContain('days=30')
    expect(view.problems).toEqual([])
  })

  it('a run of 5,000 spans never has more than 300 rows in the document', async () => {
    await using world = await openWorld(many(5_000))
    for (const width of [1280, 360]) {
      await using view = await open(world.studio.url, `#/runs/${traceId('many')}`, { width })
      const { page } = view
      await rows(page).first().waitFor()
      const counts = [await rows(page).count()]
      await page.locator('[role=tree]').focus()
      for (const key of ['PageDown', 'PageDown', 'End', 'PageUp', 'Home']) {
        await page.keyboard.press(key)
        if (width === 360) await page.getByRole('button', { name: 'Waterfall' }).click()
        if (width === 360) await page.locator('[role=tree]').focus()
        counts.push(await rows(page).count())
      }
      await page.locator('[role=tree]').evaluate((tree) => {
        tree.scrollTop = tree.scrollHeight
      })
      await rows(page).filter({ hasText: 'tool-4998' }).waitFor()
      counts.push(await rows(page).count())
      expect(Math.max(...counts)).toBeLessThanOrEqual(300)
      expect(Math.min(...counts)).toBeGreaterThan(10)
      await view.shot('many')
      expect(view.problems).toEqual([])
    }
  })

  it('shows hostile content without any of it acting', async () => {
    await using world = await openWorld(hostile())
    await using view = await open(world.studio.url)
    const { page } = view
    page.on('dialog', (dialog) => {
      view.problems.push('a dialog')
      return dialog.dismiss()
    })
    await page.locator('tbody tr').first().waitFor()
    expect(await text(page, '.asked a')).toContain('<script>')
    await view.shot('hostile-list')
    await page.locator('tbody a').first().click()
    await rows(page).first().waitFor()
    for (const id of ['turn 1', 'turn 2', 'tool']) {
      await page.evaluate(
        (hash) => {
          location.hash = hash
        },
        `#/runs/${traceId('hostile')}?span=${spanId('hostile', id)}`,
      )
      await page.locator('.detail .said').first().waitFor()
      const folded = page.locator('.detail details:not([open]) > summary')
      while ((await folded.count()) > 0) await folded.first().click()
      await view.shot(`hostile-${id.replace(' ', '-')}`)
    }
    const shown = await page.locator('body').textContent()
    expect(shown).toContain('[U+001B][31mred')
    expect(shown).toContain('[U+202E]')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
    expect(shown).not.toMatch(/[\u001b\u202e\u2066\u0007]/)
    expect(
      await page.locator('main script, main iframe, main img, main svg, main form, main [onerror], main style').count(),
    ).toBe(0)
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false)
    expect(await isTooWide(page)).toBe(false)
    expect(view.problems).toEqual([])
  })

  it('shows the beginning of 5 MB, and more when asked', async () => {
    await using world = await openWorld(hostile())
    await using view = await open(world.studio.url, `#/runs/${traceId('hostile')}?span=${spanId('hostile', 'long')}`)
    const { page } = view
    const shown = () =>
      page
        .locator('.detail .said')
        .first()
        .evaluate((said) => said.textContent?.length ?? 0)
    await page.getByText('of 5,000,000 characters').first().waitFor()
    expect(await shown()).toBeLessThan(10_000)
    await page.getByRole('button', { name: 'Show 100,000 more' }).first().click()
    await expect.poll(shown).toBe(104_000)
    expect(await page.evaluate(() => document.body.textContent.length)).toBeLessThan(400_000)
    expect(view.problems).toEqual([])
  })

  it('talks to an agent: words, tools, approval, an image, an error', async () => {
    await using world = await openWorld()
    const model = scriptedModel([
      { text: 'Hello, how can I help?', reasoning: 'A greeting.', chunks: 4 },
      { calls: [{ name: 'refund', arguments: { order: 17, note: 'a\u202eb' } }] },
      'Refunded.',
      'A lamp.',
      new Error('No credit is left.'),
    ])
    const refund = tool({ name: 'refund', input: { type: 'object' }, needsApproval: true, execute: () => 'done' })
    await using studio = await startStudio({
      traces: world.traces,
      agents: [new Agent({ name: 'desk', model, tools: [refund] })],
    })
    await using view = await open(studio.url, '#/chat')
    const { page } = view
    const say = async (words: string) => {
      await page.getByRole('textbox', { name: 'Message' }).fill(words)
      await page.keyboard.press('Enter')
    }
    await say('Hi <b>there</b>')
    await page.getByText('Hello, how can I help?').waitFor()
    await page.getByText('Hi <b>there</b>').waitFor()
    await say('Refund order 17.')
    await page.getByRole('heading', { name: 'May refund run?' }).waitFor()
    const input = page.getByLabel('Its input')
    expect(await input.inputValue()).toContain('a\\u202eb')
    await view.shot('chat-need')
    await page.setViewportSize({ width: 360, height: 740 })
    await page.screenshot({ path: join(out, 'chat-need-360-light.png') })
    expect(await isTooWide(page)).toBe(false)
    await page.setViewportSize({ width: 1280, height: 800 })
    await say('Too early.')
    expect(await page.locator('.asked-words').count()).toBe(2)
    await input.fill('{ "order": 1')
    await page.getByText('This is no JSON.').waitFor()
    expect(await page.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true)
    await input.fill('{ "order": 18 }')
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByText('Refunded.').waitFor()
    await page.locator('summary', { hasText: 'refund' }).click()
    await page.getByText('18', { exact: true }).waitFor()
    const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from(pixel, 'base64') })
    await page.getByText('1 image to be sent along.').waitFor()
    await say('What is this?')
    await page.getByText('A lamp.').waitFor()
    expect(model.requests[3]?.messages.at(-1)?.content).toEqual([
      { type: 'text', text: 'What is this?' },
      { type: 'image', url: `data:image/png;base64,${pixel}` },
    ])
    await say('And now?')
    await page.getByRole('alert').getByText('No credit is left.').waitFor()
    await view.shot('chat')
    await page.getByRole('button', { name: 'New talk' }).click()
    await page.getByText('Ask desk something.').waitFor()
    expect(view.problems).toEqual([])
  })

  it('stops a talk, and says how to have one', async () => {
    await using world = await openWorld()
    const never = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<void>()
    const model = scriptedModel(({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve())
      return { text: 'Never.', after: never.promise }
    })
    await using studio = await startStudio({ traces: world.traces, agents: [new Agent({ name: 'slow', model })] })
    await using view = await open(studio.url, '#/chat')
    await view.page.getByRole('textbox', { name: 'Message' }).fill('Hi')
    await view.page.getByRole('button', { name: 'Send' }).click()
    await view.page.getByRole('button', { name: 'Stop' }).click()
    await view.page.getByText('You stopped it.').waitFor()
    await aborted.promise
    await using none = await open(world.studio.url, '#/chat')
    await none.page.getByRole('heading', { name: 'No agent to talk to' }).waitFor()
    expect([...view.problems, ...none.problems]).toEqual([])
  })

  it('runs no script that somebody writes into the page', async () => {
    await using world = await openWorld()
    await using view = await open(world.studio.url)
    await view.page.getByRole('heading', { name: 'No runs yet' }).waitFor()
    const blocked = await view.page.evaluate(async () => {
      const violated: string[] = []
      document.addEventListener('securitypolicyviolation', (event) => violated.push(event.effectiveDirective))
      const script = document.createElement('script')
      try {
        script.textContent = 'window.hacked = true'
      } catch {
        violated.push('trusted types')
      }
      document.body.append(script)
      const image = document.createElement('img')
      image.src = 'http://127.0.0.1:1/x.png'
      await fetch('http://127.0.0.1:1/').catch(() => {})
      await new Promise((resolve) => setTimeout(resolve))
      return { violated, isHacked: 'hacked' in window }
    })
    expect(blocked.isHacked).toBe(false)
    expect(blocked.violated).toContain('trusted types')
    expect(blocked.violated).toContain('connect-src')
    expect(blocked.violated).toContain('img-src')
  })
})

/** One agent with so many spans below it. */
function many(count: number): SpanData[] {
  const sketches: Sketch[] = [
    {
      id: 'agent',
      op: 'invoke_agent',
      ms: count * 20,
      attributes: { 'gen_ai.agent.name': 'busy', 'clew.status': 'done' },
    },
    ...Array.from(
      { length: count - 1 },
      (_, index): Sketch => ({
        id: `tool-${index}`,
        parent: 'agent',
        op: 'execute_tool',
        at: index * 20,
        ms: 15,
        attributes: { 'gen_ai.tool.name': `tool-${index}` },
      }),
    ),
  ]
  return traceOf('many', Date.now() - 200_000, sketches)
}

function hostile(): SpanData[] {
  const markup =
    '<script>window.hacked = true; alert(1)</script><img src=x onerror="window.hacked = true"><style>*{display:none}</style>'
  const terminal = '\u001b[31mred\u001b[0m \u001b]8;;http://evil.example\u0007link\u001b]8;;\u0007'
  const direction = 'ab\u202edc\u202c \u2066isolated\u2069 مرحبا بالعالم שלום'
  const all = `${markup}\n${terminal}\n${direction}\n${'x'.repeat(3_000)}`
  const asked = says('user', all)
  const call = calls({
    id: all,
    name: markup,
    arguments: { [markup]: all, ['__proto__']: { a: 1 }, n: [1, { b: all }] },
  })
  const named = {
    'gen_ai.agent.name': `${markup}${direction}`,
    'clew.status': 'done',
    'gen_ai.input.messages': JSON.stringify([asked]),
  }
  return traceOf('hostile', Date.now() - 1_000, [
    { id: 'agent', op: 'invoke_agent', name: all, ms: 900, attributes: named },
    {
      id: 'turn 1',
      parent: 'agent',
      op: 'chat',
      at: 1,
      ms: 100,
      attributes: chat({
        instructions: all,
        tools: [{ name: markup, description: all }],
        messages: [asked],
        answer: call,
        model: `${markup}${direction}`,
      }),
    },
    {
      id: 'tool',
      parent: 'agent',
      op: 'execute_tool',
      at: 110,
      ms: 100,
      error: all,
      attributes: {
        'gen_ai.tool.name': `${direction}${markup}`,
        'gen_ai.tool.call.arguments': JSON.stringify({ all }),
        'gen_ai.tool.call.result': all,
        [markup]: all,
      },
    },
    {
      id: 'turn 2',
      parent: 'agent',
      op: 'chat',
      at: 220,
      ms: 100,
      attributes: chat({
        instructions: `${all}!`,
        messages: [asked, call, gave(all, all), { role: markup, parts: [{ type: markup, content: all }] }],
        answer: asked,
      }),
    },
    {
      id: 'long',
      parent: 'agent',
      op: 'execute_tool',
      at: 330,
      ms: 100,
      attributes: { 'gen_ai.tool.name': 'long', 'gen_ai.tool.call.result': '<b>'.padEnd(5_000_000, 'y') },
    },
  ])
}

/** Runs in the page. Texts of which the contrast with what is behind them is below 4.5 to 1. */
function weakTexts(): string[] {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!
  const rgba = (colour: string) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data] as [number, number, number, number]
  }
  const light = (colour: string) =>
    rgba(colour)
      .slice(0, 3)
      .map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index]!, 0)
  const behind = (element: Element | null): string => {
    if (!element) return 'white'
    const colour = getComputedStyle(element).backgroundColor
    return rgba(colour)[3] === 255 ? colour : behind(element.parentElement)
  }
  const weak = new Set<string>()
  for (const element of document.body.querySelectorAll('*')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim())
    if (!own || !element.checkVisibility()) continue
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x) as [
      number,
      number,
    ]
    const contrast = (a + 0.05) / (b + 0.05)
    if (contrast < 4.5) weak.add(`${element.className || element.tagName}: ${contrast.toFixed(2)}`)
  }
  return [...weak]
}

/** Runs in the page. Whether what has the focus, or what stands for it, has a ring. */
function hasRing(): boolean {
  const element = document.activeElement
  if (!element || element === document.body) return true
  const styles = [getComputedStyle(element), getComputedStyle(element, '::after')]
  const segment = element.closest('label')
  if (segment) styles.push(getComputedStyle(segment))
  return styles.some(({ outlineStyle, outlineWidth }) => outlineStyle !== 'none' && outlineWidth !== '0px')
}
