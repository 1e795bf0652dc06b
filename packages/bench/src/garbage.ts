/** `collectYoung()`: clears what died young, so that nobody is charged with the garbage of whoever was measured before. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export function collectYoung(): void {
  collect({ type: 'minor' })
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void
