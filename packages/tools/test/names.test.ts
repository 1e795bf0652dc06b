/** What paths mean, by words alone: the same table on every system. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { denier, secretNames } from '../src/guard/folder/deny.ts'
import { namesOf } from '../src/guard/folder/names.ts'

const posix = (path: string) => namesOf(path, '/home/me/box', false)
const windows = (path: string) => namesOf(path, 'C:\\Users\\me\\box', true)

describe('a path', () => {
  it.each([
    ['a/b.txt', ['a', 'b.txt']],
    ['./a//b/.', ['a', 'b']],
    ['a/../b', ['b']],
    ['.', []],
    ['', []],
    ['src\\app.ts', ['src', 'app.ts']],
    ['..;/secret.txt', ['..;', 'secret.txt']],
    ['..%2fsecret.txt', ['..%2fsecret.txt']],
    ['．．/secret.txt', ['．．', 'secret.txt']],
    ['...', ['...']],
    ['12:30 notes.txt', ['12:30 notes.txt']],
    ['CON', ['CON']],
    ['x.txt ', ['x.txt ']],
    ['~backup', ['~backup']],
    ['/home/me/box/a', ['a']],
    ['/home/me/box', []],
  ])('%j means %j', (path, names) => {
    expect(posix(path)).toEqual(names)
  })

  it.each([
    ['..', 'leads out'],
    ['a/../../b', 'leads out'],
    ['..\\b', 'leads out'],
    ['/etc/passwd', 'is absolute'],
    ['/home/me/box/../x', 'leads out'],
    ['/home/me/boxer/x', 'is absolute'],
    ['\\\\server\\share\\x', 'is absolute'],
    ['\\\\?\\C:\\x', 'is absolute'],
    ['//server/share', 'is absolute'],
    ['C:\\boot.ini', 'is absolute'],
    ['c:/boot.ini', 'is absolute'],
    ['C:', 'is absolute'],
    ['~', 'is absolute'],
    ['~/.ssh', 'is absolute'],
    ['a\0b', 'control characters'],
    ['a\r\nb', 'control characters'],
    ['a\u202eb', 'control characters'],
    ['a\ud800', 'half a character'],
    ['é'.repeat(128), 'longer than 255 bytes'],
    ['a/'.repeat(2049), 'longer than 4096 bytes'],
  ])('%j is refused: it %s', (path, why) => {
    expect(() => posix(path)).toThrow(why)
    expect(() => posix(path)).toThrow('The path "')
  })

  it.each([
    'CON',
    'con.txt',
    'aux .txt',
    'sub/NUL',
    'com1',
    'LPT¹.log',
    'CONIN$',
    'file.txt:stream',
    'file.txt::$DATA',
    'C:boot.ini',
    'name.',
    'name ',
    'sub./x',
    'a|b',
    'a*b',
    'D:\\x',
    '\\\\.\\PhysicalDrive0',
  ])('P153: on Windows %j is refused', (path) => {
    expect(() => windows(path)).toThrow('cannot be used')
  })

  it.each([
    ['src\\app.ts', ['src', 'app.ts']],
    ['console.log', ['console.log']],
    ['C:\\Users\\me\\box\\a.txt', ['a.txt']],
    ['c:/users/ME/box/a.txt', ['a.txt']],
  ])('P153: on Windows %j means %j', (path, names) => {
    expect(windows(path)).toEqual(names)
  })

  it('never leads out and never stays unclear, whatever it is', () => {
    const word = fc.oneof(
      fc.constantFrom('..', '.', '/', '\\', 'a', '\0', 'C:', '~', ' '),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(fc.array(word), fc.boolean(), (words, isWindows) => {
        let names: string[]
        try {
          names = namesOf(words.join(''), isWindows ? 'C:\\box' : '/box', isWindows)
        } catch (error) {
          expect(String(error)).toContain('cannot be used')
          return
        }
        expect(names.filter((name) => ['', '.', '..'].includes(name) || /[/\\\0]/.test(name))).toEqual([])
      }),
    )
  })
})

describe('secret names', () => {
  const isDenied = denier(secretNames)
  it.each([
    '.env',
    '.ENV',
    'a/.env',
    '.env.local',
    '.env.production.local',
    '.env ',
    '.env.',
    '.env::$DATA',
    '.e\u200dnv',
    '．env',
    '.git',
    '.git/hooks/pre-commit',
    'a/.ssh/known_hosts',
    'id_rsa',
    'id_ed25519',
    'server.PEM',
    'tls/private.key',
    '.npmrc',
    '.docker/config.json',
    'home/.docker/config.json',
  ])('%j is one', (path) => {
    expect(isDenied(path.split('/'))).toBe(true)
  })

  it.each(['.env.example', '.gitignore', '.github/x.yml', 'environment.ts', 'id_rsa.pub', 'key.ts', 'a.b', '…'])(
    '%j is none',
    (path) => {
      expect(isDenied(path.split('/'))).toBe(false)
    },
  )
})
