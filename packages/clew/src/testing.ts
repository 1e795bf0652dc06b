/** For tests of agents. */
export { scriptedModel, type ScriptedModel, type ScriptedReply } from '@clew/core/testing'
