/** For tests of agents. */
export { type ScriptedModel, type ScriptedReply, scriptedModel } from '@clew/core/testing'
