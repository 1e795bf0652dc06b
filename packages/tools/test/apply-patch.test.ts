import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parsePatch } from '../src/apply-patch/parse-patch.ts'
import { applyPatch, folder } from '../src/index.ts'
import { call, makeBox } from './hand.ts'

/** What becomes of files that were read. */
const patch = async (files: { [path: string]: string | Uint8Array }, text: string) => {
  const { box } = makeBox(files)
  const jail = folder(box, { write: 'allowed' })
  for (const path of Object.keys(files)) await jail.read(path)
  const result = await call(applyPatch(jail), { patch: text })
  const after = (path: string) => (existsSync(join(box, path)) ? readFileSync(join(box, path), 'utf8') : undefined)
  return { ...result, after }
}
const envelope = (body: string) => `*** Begin Patch\n${body}\n*** End Patch`

const greet = 'import os\n\ndef greet():\n    print("Hi")\n\ndef leave():\n    print("Hi")\n'

describe('apply_patch', () => {
  it('adds, changes, moves and deletes in one go', async () => {
    const { after, text, view } = await patch(
      { 'a.py': greet, 'old.txt': 'gone\n', 'b.txt': 'b\n' },
      envelope(`*** Update File: a.py
@@ def leave():
-    print("Hi")
+    print("Bye")
*** Add File: deep/new.txt
+first
+
+third
*** Delete File: old.txt
*** Update File: b.txt
*** Move to: c/b.txt
@@
-b
+B`),
    )
    expect(text).toBe('Done:\nupdated a.py\nadded deep/new.txt\ndeleted old.txt\nmoved b.txt to c/b.txt')
    expect(after('a.py')).toBe(greet.replace(/"Hi"\)\n$/, '"Bye")\n'))
    expect(after('deep/new.txt')).toBe('first\n\nthird\n')
    expect([after('old.txt'), after('b.txt'), after('c/b.txt')]).toEqual([undefined, undefined, 'B\n'])
    expect(view).toContain('+    print("Bye")')
  })

  it('reads unified diffs too, whose line numbers are only hints', async () => {
    const { after, text } = await patch(
      { 'a.py': greet, 'gone.txt': 'x\n' },
      `diff --git a/a.py b/a.py
index 123abc..456def 100644
--- a/a.py
+++ b/a.py
@@ -97,3 +97,3 @@ def leave():
 
 def leave():
-    print("Hi")
+    print("Bye")
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+new
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
-x
`,
    )
    expect(text).toBe('Done:\nupdated a.py\nadded new.txt\ndeleted gone.txt')
    expect(after('a.py')).toContain('def leave():\n    print("Bye")')
    expect(after('a.py')).toContain('def greet():\n    print("Hi")')
    expect([after('new.txt'), after('gone.txt')]).toEqual(['new\n', undefined])
    const near = await patch({ 'a.py': greet }, '--- a.py\n+++ a.py\n@@ -7 +7 @@\n-    print("Hi")\n+    print("Bye")')
    expect(near.after('a.py')).toBe(greet.replace(/"Hi"\)\n$/, '"Bye")\n'))
  })

  it('takes several changes of a file in their order, at the end, and without lines around', async () => {
    const text = 'a\nx\nb\nx\nc\nx\n'
    const ordered = await patch({ t: text }, envelope('*** Update File: t\n@@\n-a\n+A\n@@ b\n-x\n+X\n@@\n c\n-x\n+Z'))
    expect(ordered.after('t')).toBe('A\nx\nb\nX\nc\nZ\n')
    const atEnd = await patch({ t: text }, envelope('*** Update File: t\n@@\n-x\n+end\n*** End of File'))
    expect(atEnd.after('t')).toBe('a\nx\nb\nx\nc\nend\n')
    const added = await patch({ t: 'a\nb' }, envelope('*** Update File: t\n@@\n+c'))
    expect(added.after('t')).toBe('a\nb\nc')
    const below = await patch({ t: 'a\nb\n' }, envelope('*** Update File: t\n@@ a\n+between'))
    expect(below.after('t')).toBe('a\nbetween\nb\n')
    const last = await patch({ t: 'a\nb' }, envelope('*** Update File: t\n@@\n a\n-b\n'))
    expect(last.after('t')).toBe('a')
  })

  it('P153: keeps the line ends of the file, whichever the patch has', async () => {
    const body = '*** Update File: t\n@@\n one\n-two\n+2\n+2b\n three'
    const windows = await patch({ t: 'one\r\ntwo\r\nthree\r\n' }, envelope(body))
    expect(windows.after('t')).toBe('one\r\n2\r\n2b\r\nthree\r\n')
    const unix = await patch({ t: 'one\ntwo\nthree\n' }, envelope(body).replaceAll('\n', '\r\n'))
    expect(unix.after('t')).toBe('one\n2\n2b\nthree\n')
    const mixed = await patch({ t: 'one\ntwo\r\nthree\r\n' }, envelope(body))
    expect(mixed.after('t')).toBe('one\n2\r\n2b\r\nthree\r\n')
  })

  it('forgives spaces at the end of lines, and keeps those of the file', async () => {
    const { after } = await patch(
      { t: 'keep  \ngo \t\nstay\n' },
      envelope('*** Update File: t\n@@\n keep\n-go\n+went\n stay'),
    )
    expect(after('t')).toBe('keep  \nwent\nstay\n')
  })

  it('is found in what models put around it', async () => {
    const body = envelope('*** Update File: t\n@@\n-a\n+b')
    for (const text of [
      `\`\`\`diff\n${body}\n\`\`\``,
      `apply_patch <<'EOF'\n${body}\nEOF`,
      body.replace('*** End Patch', ''),
    ]) {
      expect((await patch({ t: 'a\n' }, text)).after('t')).toBe('b\n')
    }
  })

  it('changes nothing at all when one part does not fit', async () => {
    const { after, text, isError } = await patch(
      { a: 'a\n', b: 'function greet(name) {\n' },
      envelope(
        '*** Add File: new\n+x\n*** Update File: a\n@@\n-a\n+A\n*** Update File: b\n@@\n-function greet(names) {\n+x',
      ),
    )
    expect(isError).toBe(true)
    expect(text).toContain('Change 1 of "b" does not fit')
    expect(text).toContain('The nearest is:\n1\tfunction greet(name) {')
    expect([after('a'), after('b'), after('new')]).toEqual(['a\n', 'function greet(name) {\n', undefined])
  })

  it.each([
    ['*** Update File: t\n@@\n-x\n+y', 'fits in 2 places: lines 2, 4'],
    ['*** Add File: t\n+x', '"t" is there already'],
    ['*** Update File: t\n*** Move to: u\n@@\n-a\n+b', '"u" is there already'],
    ['*** Delete File: none', 'There is no file "none"'],
    ['*** Update File: none\n@@\n-x', 'There is no file "none"'],
    ['*** Add File: same\n+x\n*** Add File: ./same\n+y', 'names "./same" twice'],
    ['*** Update File: ../secret.txt\n@@\n-x', 'leads out'],
    ['*** Update File: t\n*** Move to: ../moved.txt\n@@\n-a\n+b', 'leads out'],
    ['*** Add File: new\nno plus', 'Each line of a new file begins with "+"'],
    ['*** Update File: t\n@@\nno sign', 'Each line of a change begins with'],
    ['*** Delete File: t\nmore', 'Nothing follows'],
    ['hello', 'It stands before any file'],
    ['', 'names no file'],
    [Array.from({ length: 101 }, (_, index) => `*** Add File: f${index}\n+x`).join('\n'), '100 at most'],
    ['*** Add File: half\n+\ud800', 'half a character'],
  ])('refuses %j', async (body, why) => {
    const { text, isError, after } = await patch({ t: 'a\nx\nb\nx\n', u: 'u' }, envelope(body))
    expect(isError).toBe(true)
    expect(text).toContain(why)
    expect([after('t'), after('u'), after('same'), after('half')]).toEqual(['a\nx\nb\nx\n', 'u', undefined, undefined])
  })

  it('touches no file that was not read', async () => {
    const { box } = makeBox({ t: 'a\n' })
    const tool = applyPatch(folder(box, { write: 'allowed' }))
    for (const body of ['*** Update File: t\n@@\n-a\n+b', '*** Delete File: t']) {
      expect((await call(tool, { patch: envelope(body) })).text).toContain('has not been read')
    }
    expect(readFileSync(join(box, 't'), 'utf8')).toBe('a\n')
  })

  it('goes on from what it wrote, without reading again', async () => {
    const { box } = makeBox()
    const tool = applyPatch(folder(box, { write: 'allowed' }))
    await call(tool, { patch: envelope('*** Add File: t\n+a') })
    await call(tool, { patch: envelope('*** Update File: t\n@@\n-a\n+b') })
    expect(readFileSync(join(box, 't'), 'utf8')).toBe('b\n')
  })

  it('takes no time that grows faster than the patch', async () => {
    const spaces = ' '.repeat(400_000)
    expect(parsePatch(`*** Add File: a${spaces}x`)).toHaveLength(1)
    expect(() => parsePatch(`${spaces}x`)).toThrow('before any file')
    expect(parsePatch(`*** Update File: a\n*** Move to: b${spaces}c\n@@${spaces}@`)).toHaveLength(1)
    expect(() => parsePatch(`*** Add File: a\n+${'x'.repeat(1_000_000)}`)).toThrow('more than 1000000 characters')
    const same = await patch(
      { t: 'a\n'.repeat(100_000) },
      envelope(`*** Update File: t\n@@\n${'-a\n'.repeat(50_000)}-b`),
    )
    expect(same.text).toContain('repeats too much of the file')
  })

  it('reads what a line that looks like a header is', () => {
    expect(parsePatch('--- a/q.sql\n+++ b/q.sql\n@@ -1,2 +1 @@\n--- a comment\n select')).toEqual([
      {
        type: 'update',
        path: 'q.sql',
        hunks: [
          {
            anchor: '',
            near: 1,
            atEnd: false,
            lines: [
              { sign: '-', text: '-- a comment' },
              { sign: ' ', text: 'select' },
            ],
          },
        ],
      },
    ])
  })
})
