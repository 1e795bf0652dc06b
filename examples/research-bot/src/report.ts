/** A report: what was found, each with a quotation from its source, and whether that quotation was checked. */
import type { Documents } from '@clew/tools'

export type Finding = { claim: string; quote: string; source: string; verified: boolean }
export type Report = { title: string; summary: string; findings: Finding[] }

/** The documents of a report in the order of their numbers. */
export function sourcesOf(report: Report): string[] {
  return [...new Set(report.findings.map((finding) => finding.source))]
}

/** `unfinished` says why the report is not what it should be. */
export function toMarkdown(report: Report, question: string, library: Documents, unfinished?: string): string {
  const sources = sourcesOf(report)
  const number = (source: string) => `[${sources.indexOf(source) + 1}]`
  const unverified = report.findings.filter((finding) => !finding.verified).length
  const lines = [`# ${oneLine(report.title)}`, '']
  if (unfinished) lines.push(`> **${unfinished}: this report is not finished.**`, '')
  if (unverified > 0)
    lines.push(
      `> **${unverified} of ${report.findings.length} quotations could not be verified; they are marked.**`,
      '',
    )
  lines.push(`*Question: ${oneLine(question).slice(0, 500)}*`, '', report.summary.trim(), '', '## Findings', '')
  for (const { claim, quote, source, verified } of report.findings) {
    lines.push(`- ${oneLine(claim)} ${number(source)}`, '')
    lines.push(`  > ${verified ? '' : '**[unverified]** '}“${oneLine(quote)}”`, '')
  }
  lines.push('## Sources', '')
  for (const [index, source] of sources.entries())
    lines.push(`${index + 1}. ${oneLine(library.titleOf(source) ?? source)} (${source})`)
  return `${lines.join('\n')}\n`
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
