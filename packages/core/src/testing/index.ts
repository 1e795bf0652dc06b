/** For tests of agents: a model that answers by script. */
export { type ScriptedModel, type ScriptedReply, scriptedModel } from './scripted-model.ts'
