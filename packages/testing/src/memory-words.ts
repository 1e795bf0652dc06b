/** What a memory store takes for a word: in any script, and in a text that looks like a query. */
import assert from 'node:assert/strict'
import { fact, hardTexts, idsOf, type MemoryCase, newTenant } from './memory-desk.ts'

/** By a query, the one text of them that it finds. */
const scripts: [query: string, text: string][] = [
  ['teapot', 'She keeps a Teapot by the door.'],
  ['CAFÉ', 'Le cafe\u0301 est fermé'],
  ['strasse', 'Die Strasse ist lang'],
  ['чай', 'Он любит Чай с молоком'],
  ['οδοσ', 'Η ΟΔΟΣ είναι μακριά'],
  ['القهوة', 'يحب القهوة كثيرا'],
  ['שלום', 'היא אמרה שלום לכולם'],
  ['नमस्ते', 'उसने कहा नमस्ते दोस्त'],
  ['北京', '我去年搬到北京工作'],
  ['猫', '彼女は猫が好きです'],
  ['コーヒー', '毎朝コーヒーを飲む'],
  ['회의', '내일회의가있다'],
  ['กาแฟ', 'เขาชอบดื่มกาแฟทุกเช้า'],
  ['🧶', 'a ball of 🧶 rolled away'],
  ['𠮷野', '昨日𠮷野家に行った'],
  ['ｆｕｌｌｗｉｄｔｈ', 'typed in FullWidth letters'],
  ['4711', 'order 4711 was sent'],
]

/** Where a query language is in use, these are errors or mean something. */
const syntax = [
  '"', "'", '""', '*', 'tea*', '(', ')', 'NEAR(tea, 2)', 'AND', 'OR', 'NOT tea', 'tea AND', '^tea', 'text:tea', 'tea:*',
  '-tea', '+tea', '{tea}', 'tea & !coffee', 'tea <-> coffee', '|', '!', '&', '\\', "tea'", 'tea\0', '\0', '%', '_', ';',
  '\ud83d', '', ' ', '?', '$1', '[]', 'tea OR 1=1', "'; DROP TABLE entries; --", ...hardTexts,
] // biome-ignore format: one list

export const memoryWords: MemoryCase[] = [
  [
    'words of every script are found, whatever their case, width and accents',
    async ({ open, reopen }) => {
      const parts = { tenant: newTenant() }
      const memory = await open(parts)
      await memory.add(scripts.map(([, text], at) => fact(`s${at}`, text, { at })))
      const reader = await reopen(parts)
      for (const [at, [query]] of scripts.entries())
        assert.deepEqual(await idsOf(reader, { text: query }), [`s${at}`], `the query ${query}`)
      assert.deepEqual(await reader.search({ text: 'nowhere' }), [])
    },
  ],
  [
    'a query is plain text: no character in it is an error or an instruction',
    async ({ open }) => {
      const memory = await open({ tenant: newTenant() })
      await memory.add([fact('tea', 'tea'), fact('coffee', 'coffee'), fact('and', 'and near not or')])
      for (const text of syntax) {
        const found = await idsOf(memory, { text })
        const expected = [
          ...(/tea/i.test(text) ? ['tea'] : []),
          ...(/coffee/i.test(text) ? ['coffee'] : []),
          ...(/\b(and|near|not|or)\b/i.test(text) ? ['and'] : []),
        ]
        assert.deepEqual(found.sort(), expected.sort(), `the query ${JSON.stringify(text)}`)
      }
    },
  ],
]
