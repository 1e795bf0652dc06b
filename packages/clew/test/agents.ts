/** A file that exports agents, as `clew studio` takes it. */
import { Agent } from '@clew/core'
import { scriptedModel } from '@clew/core/testing'

const model = scriptedModel(() => 'Hello.')
export const guide = new Agent({ name: 'guide', model })
export const clerk = new Agent({ name: 'clerk', model })
export const nothing = 'no agent'
