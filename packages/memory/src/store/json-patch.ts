/**
 * `applyPatch()`: JSON Patch (RFC 6902), all of it or nothing: the value that is given is never changed.
 *
 * Stricter than the RFC in three places: keys that reach into JavaScript's prototypes are refused, the whole value cannot
 * be removed, and copies cannot grow without bound.
 */
import { isTooDeep, type Json } from '@clew/core'

export type Patched = { ok: true; value: Json } | { ok: false; problem: string }

type Operation = { op: string; path: string; from?: unknown; value?: unknown }
type Holder = Json[] | { [key: string]: Json }

const forbidden = ['__proto__', 'constructor', 'prototype']
const maxOperations = 200
/** Characters of JSON after a copy. */
const maxCopied = 1_000_000

/** `problem` names the operation, counted from 0, and what is wrong, for the model to read. */
export function applyPatch(value: Json, patch: unknown): Patched {
  if (!Array.isArray(patch)) return { ok: false, problem: 'The patch is no list of operations.' }
  if (patch.length > maxOperations)
    return { ok: false, problem: `The patch has ${patch.length} operations; at most ${maxOperations} are taken.` }
  // The value stands in a list of one, so that the root is a place like any other.
  const root: Json[] = [structuredClone(value)]
  for (const [index, operation] of patch.entries()) {
    try {
      perform(root, checkOperation(operation))
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return { ok: false, problem: `Operation ${index}: ${error.message}. Nothing was changed.` }
    }
  }
  return { ok: true, value: root[0] as Json }
}

class Refused extends Error {}

function checkOperation(given: unknown): Operation {
  if (typeof given !== 'object' || given === null) throw new Refused('it is no object')
  const { op, path } = given as Operation
  if (!['add', 'remove', 'replace', 'move', 'copy', 'test'].includes(op))
    throw new Refused(`op is ${JSON.stringify(op)}; it is add, remove, replace, move, copy or test`)
  if (typeof path !== 'string') throw new Refused('path is missing')
  const needsValue = ['add', 'replace', 'test'].includes(op)
  if (needsValue && !Object.hasOwn(given, 'value')) throw new Refused(`${op} needs a value`)
  if (needsValue) checkValue((given as Operation).value)
  return given as Operation
}

function checkValue(value: unknown): void {
  if (isTooDeep(value)) throw new Refused('the value has more than 500 levels')
  const key = findForbidden(value)
  if (key !== undefined) throw new Refused(`the key ${JSON.stringify(key)} is not allowed`)
}

function findForbidden(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, child] of Object.entries(value)) {
    const found = !Array.isArray(value) && forbidden.includes(key) ? key : findForbidden(child)
    if (found !== undefined) return found
  }
  return undefined
}

function perform(root: Json[], { op, path, from, value }: Operation): void {
  switch (op) {
    case 'add':
      add(root, path, structuredClone(value) as Json)
      break
    case 'replace':
      get(root, path)
      put(...placeOf(root, path), structuredClone(value) as Json)
      break
    case 'remove':
      remove(root, path)
      break
    case 'test':
      if (isSame(get(root, path), value as Json)) break
      throw new Refused(`the test failed: at ${show(path)} there is something else`)
    default:
      if (typeof from !== 'string') throw new Refused(`${op} needs "from"`)
      if (op === 'move') move(root, from, path)
      else copy(root, from, path)
  }
}

function move(root: Json[], from: string, path: string): void {
  if (path.startsWith(`${from}/`)) throw new Refused(`${show(from)} cannot be moved into itself`)
  if (from === path) get(root, from)
  else add(root, path, remove(root, from))
}

function copy(root: Json[], from: string, path: string): void {
  add(root, path, structuredClone(get(root, from)))
  if (isTooDeep(root) || JSON.stringify(root).length > maxCopied) throw new Refused('the copies grow too large')
}

function add(root: Json[], path: string, value: Json): void {
  const [holder, key] = placeOf(root, path)
  if (!Array.isArray(holder) || path === '') put(holder, key, value)
  else holder.splice(key === '-' ? holder.length : indexOf(holder, key, path, holder.length), 0, value)
}

function put(holder: Holder, key: string, value: Json): void {
  ;(holder as { [key: string]: Json })[key] = value
}

function remove(root: Json[], path: string): Json {
  if (path === '') throw new Refused('the whole value cannot be removed; replace it')
  const value = get(root, path)
  const [holder, key] = placeOf(root, path)
  if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else delete holder[key]
  return value
}

function get(root: Json[], path: string): Json {
  const [holder, key] = placeOf(root, path)
  return childOf(holder, key, path)
}

/** What holds the place that the path names, and the place's key in it. */
function placeOf(root: Json[], path: string): [holder: Holder, key: string] {
  const keys = ['0', ...keysOf(path)]
  const last = keys.pop() as string
  let holder: Json = root
  for (const key of keys) holder = childOf(holder, key, path)
  if (typeof holder !== 'object' || holder === null) throw nothingAt(path)
  return [holder, last]
}

function keysOf(path: string): string[] {
  if (path === '') return []
  if (!path.startsWith('/')) throw new Refused(`the path ${show(path)} does not begin with "/"`)
  return path
    .slice(1)
    .split('/')
    .map((part) => {
      if (/~(?![01])/.test(part)) throw new Refused(`the path ${show(path)} has a "~" that is neither "~0" nor "~1"`)
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      if (forbidden.includes(key)) throw new Refused(`the key ${JSON.stringify(key)} is not allowed`)
      return key
    })
}

function childOf(holder: Json, key: string, path: string): Json {
  if (Array.isArray(holder)) return holder[indexOf(holder, key, path, holder.length - 1)] as Json
  if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, key)) throw nothingAt(path)
  return holder[key] as Json
}

function indexOf(list: Json[], key: string, path: string, most: number): number {
  if (!/^(0|[1-9]\d*)$/.test(key)) throw new Refused(`in ${show(path)}, ${JSON.stringify(key)} is no index of a list`)
  const index = Number(key)
  if (index > most)
    throw new Refused(`in ${show(path)}, the index ${key} is beyond the list, which has ${list.length} items`)
  return index
}

const nothingAt = (path: string) => new Refused(`there is nothing at ${show(path)}`)

function show(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path)
}

/** As JSON: the order of keys does not count. */
export function isSame(one: Json, other: Json): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame((one as never)[key], (other as never)[key]))
  )
}
