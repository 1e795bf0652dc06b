/**
 * That scopes are apart: every method, with equal ids, beside a neighbour that has its own of everything.
 *
 * How rare a word is may be counted over a whole tenant. So what scopes of one tenant write may change the order of what
 * is found, though never what is found; what other tenants write may not change even that.
 */
import assert from 'node:assert/strict'
import { fact, linesOf, type MemoryCase, type MemoryDesk, newTenant, refused, said } from './memory-desk.ts'
import type { MemoryLike, Parts } from './memory-like.ts'

type Neighbours = (tenant: string, other: string) => [mine: Parts, theirs: Parts]

const neighbours: [name: string, of: Neighbours][] = [
  ['two tenants', (tenant, other) => [{ tenant }, { tenant: other }]],
  [
    'one user of two tenants',
    (tenant, other) => [
      { tenant, user: 'ada' },
      { tenant: other, user: 'ada' },
    ],
  ],
  [
    'one thread of two tenants',
    (tenant, other) => [
      { tenant, user: 'ada', thread: 't' },
      { tenant: other, user: 'ada', thread: 't' },
    ],
  ],
  [
    'two users',
    (tenant) => [
      { tenant, user: 'ada' },
      { tenant, user: 'Ada' },
    ],
  ],
  [
    'users whose names differ by a space',
    (tenant) => [
      { tenant, user: 'ada' },
      { tenant, user: 'ada ' },
    ],
  ],
  [
    'threads of one name of two users',
    (tenant) => [
      { tenant, user: 'ada', thread: 't' },
      { tenant, user: 'bob', thread: 't' },
    ],
  ],
  [
    'names that are one text when they are joined',
    (tenant) => [
      { tenant, user: 'a/b', thread: 'c' },
      { tenant, user: 'a', thread: 'b/c' },
    ],
  ],
  ['a user and its tenant', (tenant) => [{ tenant, user: 'ada' }, { tenant }]],
  ['tenants of which one begins like the other', (tenant) => [{ tenant }, { tenant: `${tenant}x` }]],
]

const secret = 'secret'

/** With the ids that the other has, and other contents. */
async function furnish(memory: MemoryLike, word: string): Promise<string> {
  await memory.writeBlock('plan', word, 0)
  await memory.writeBlock('plan', [word], 1)
  await memory.add([
    fact('a', `${word} tea`, { vector: [1, 0], source: word }),
    fact('b', 'tea and much beside it that makes it long'),
    fact('c', 'a samovar', { at: 5 }),
  ])
  await memory.session('chat').append(0, said('first', word))
  await memory.session(word).append(0, said('first', word))
  return await memory.putArtifact(`${word} text`)
}

/** All that a scope shows of itself; the order of what is found only where it is looked at by a tenant's neighbour. */
async function view(memory: MemoryLike, ids: string[], isOrdered: boolean): Promise<unknown> {
  const searches = [{}, { text: 'tea samovar mine secret' }, { vector: [1, 0] }, { text: 'tea', vector: [0, 1] }]
  const found = await Promise.all(searches.map((query) => memory.search(query)))
  return JSON.parse(
    JSON.stringify([
      await memory.readBlock('plan'),
      await memory.blockHistory('plan'),
      await memory.blocks(),
      await memory.get('a'),
      await memory.count(),
      found.map((all) =>
        isOrdered
          ? all.map(({ entry, score, ranks, scope }) => [entry, score, ranks, String(scope)])
          : all.map(({ entry, scope }) => [entry.id, entry, String(scope)]).sort(),
      ),
      await Promise.all(ids.map((id) => memory.readArtifact(id))),
      await memory.sessions(),
      await Promise.all(['chat', 'mine', secret].map((id) => memory.session(id).read())),
      await linesOf(memory),
    ]),
  )
}

async function checkApart({ open, reopen, scope }: MemoryDesk, [mineParts, theirParts]: [Parts, Parts]): Promise<void> {
  const [mine, theirs] = [await open(mineParts), await open(theirParts)]
  const isOrdered = mineParts.tenant !== theirParts.tenant
  const id = await furnish(mine, 'mine')
  const before = await view(mine, [id], isOrdered)
  const otherId = await furnish(theirs, secret)
  // So much of it that it would weigh in how rare a word is.
  await theirs.add(Array.from({ length: 30 }, (_, at) => fact(`more${at}`, 'samovar '.repeat(at), { at: 9 })))
  assert.deepEqual(await view(mine, [id], isOrdered), before, 'what the other wrote changed what is seen here')
  assert.equal(await mine.readArtifact(otherId), undefined, "the other's artifact is read")
  assert.equal(await mine.get('more1'), undefined)
  assert.equal(await mine.remove(['more1', 'more2']), 0)

  // A dimension of one's own; a revision of one's own; errors that tell nothing of the other.
  await mine.add([fact('a', 'mine tea', { vector: [1, 0, 0], source: 'mine' })])
  const errors = [
    await refused(mine.writeBlock('plan', 1, 1), 'StaleBlockError', 'a stale revision'),
    await refused(mine.add([fact('v', 'x', { vector: [1, 0] })]), 'InputError', 'another dimension'),
    await refused(mine.import([`${secret}\n`]).catch(hideGiven), 'InputError', 'a bad line to import from'),
  ]
  await theirs.writeBlock('plan', secret, 2)
  // Each log has a position of its own, and knows its own batches alone.
  assert.equal(await theirs.session('chat').append(1, said('more', secret, secret)), 3)
  assert.equal(await theirs.session('chat').append(3, said('last', secret)), 4)
  errors.push(
    await refused(mine.session('chat').append(3, said('last', secret)), 'SessionError', 'a position of the other'),
  )
  await refused(theirs.writeBlock('plan', 1, 1), 'StaleBlockError', 'a stale revision')
  assert.equal((await mine.readBlock('plan'))?.revision, 2)

  const kept = await view(theirs, [otherId], isOrdered)
  const count = await theirs.count()
  await mine.prune({ kind: 'fact', before: 6 })
  assert.equal(await mine.count(), 2)
  assert.equal(await theirs.count(), count, "prune reached the other's entries")
  await theirs.hold(true)
  const isAbove = String(scope(mineParts)).startsWith(`${scope(theirParts)},`)
  if (isAbove) errors.push(await refused(mine.erase(), 'HeldError', 'erase under a hold above'))
  else await mine.erase()
  await theirs.hold(false)
  if (isAbove) await mine.erase()
  for (const error of errors)
    assert.ok(!error.message.includes(secret), `an error tells of the other: ${error.message}`)
  for (const memory of [theirs, await reopen(theirParts)])
    if (!isAbove)
      assert.deepEqual(await view(memory, [otherId], isOrdered), kept, "an erasure changed the other's memory")
  assert.equal(await theirs.count(), count)
  // Its handle is still good, and what it erases is its own.
  await theirs.add([fact('late', 'x')])
  await furnish(await open(mineParts), 'mine')
  if (!isAbove) {
    await theirs.erase()
    assert.equal(await (await reopen(mineParts)).count(), 3)
  }
}

const hideGiven = (error: Error) => {
  error.message = error.message.replaceAll(`"${secret}"`, '…').replaceAll(secret, '…')
  throw error
}

export const memoryIsolation: MemoryCase[] = neighbours.map(([name, of]) => [
  `apart are ${name}: blocks, entries, ranks, artifacts, sessions, holds, erasures and errors`,
  (desk) => checkApart(desk, of(newTenant(), newTenant())),
])
