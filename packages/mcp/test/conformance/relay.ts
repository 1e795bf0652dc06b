/** Started by the suite for each scenario: has the test's own process do the work, and waits for it. */
const [, , relay, url] = process.argv
const { MCP_CONFORMANCE_SCENARIO: scenario, MCP_CONFORMANCE_CONTEXT: context = '{}' } = process.env
const answer = await fetch(relay as string, { method: 'POST', body: JSON.stringify({ url, scenario, context }) })
const text = await answer.text()
if (!answer.ok) console.error(text)
process.exitCode = answer.ok ? 0 : 1
