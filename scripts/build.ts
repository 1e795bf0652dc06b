/** `npm run build`: every package from `src` to `dist`; what did not change comes from turbo's cache. */
import { run } from './run.ts'

const { code, output } = await run('turbo', ['run', 'build', '--output-logs=errors-only'])
if (code !== 0) process.stdout.write(output)
process.exitCode = code
