/** Does a quotation stand in its source? Line breaks, Markdown marks and the shape of quotation marks do not count; words do. */
import type { Documents } from '@clew/tools'

export type QuoteCheck = { ok: true } | { ok: false; problem: string }

const shortest = 20

export function checkQuote(library: Documents, quote: string, source: string): QuoteCheck {
  if (!library.has(source)) {
    return {
      ok: false,
      problem: `there is no document "${source}"; cite a document by the id that search_documents gave`,
    }
  }
  const wanted = normalise(quote)
  if (wanted.length < shortest)
    return { ok: false, problem: `the quotation is too short to check; quote at least ${shortest} characters` }
  if (normalise(library.textOf(source)).includes(wanted)) return { ok: true }
  const elsewhere = library.search(quote, 3).find((hit) => normalise(library.textOf(hit.document)).includes(wanted))
  if (elsewhere) return { ok: false, problem: `these words are not in "${source}", but in "${elsewhere.document}"` }
  const nearest = nearestSentence(library.textOf(source), quote)
  return {
    ok: false,
    problem: `these words are not in "${source}"${nearest ? `. The nearest there: "${nearest}"` : ''}`,
  }
}

function normalise(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[“”„«»]/g, '"')
    .replace(/[‘’]/g, "'")
    .replace(/[‐‑–—]/g, '-')
    .replace(/[*_`#>|\\]/g, ' ')
    .replace(/^["'\s]+|["'\s]+$/g, '')
    .replace(/\s+/g, ' ')
    .toLowerCase()
    .trim()
}

function nearestSentence(text: string, quote: string): string | undefined {
  const wanted = new Set(wordsOf(quote))
  let best: { sentence: string; shared: number } | undefined
  for (const sentence of sentencesOf(text)) {
    const shared = new Set(wordsOf(sentence).filter((word) => wanted.has(word))).size
    if (shared > (best?.shared ?? 2)) best = { sentence, shared }
  }
  return best?.sentence.slice(0, 400)
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? []
}

/** Sentences and list items of a text, each on one line. */
export function sentencesOf(text: string): string[] {
  return text
    .split(/\n\s*\n|\n(?=\s*[-*#>|])|(?<=[.!?])\s+(?=[A-Z`"])/)
    .map((sentence) =>
      sentence
        .replace(/\s+/g, ' ')
        .replace(/^ ?[-*] /, '')
        .trim(),
    )
    .filter((sentence) => sentence !== '')
}
