/** The public face of `@clew/tools`. */

export { applyPatch } from './apply-patch/apply-patch.ts'
export { type AskUserInput, type AskUserOptions, askUser } from './ask-user/ask-user.ts'
export { calculator } from './calculator/calculator.ts'
export { type DatetimeInput, type DatetimeOptions, datetime } from './datetime/datetime.ts'
export {
  type DocumentHit,
  type DocumentPage,
  Documents,
  type DocumentsOptions,
  documents,
  type IndexReport,
  type TextDocument,
} from './documents/documents.ts'
export { readDocument } from './documents/read-document.ts'
export { type DocumentToolOptions, searchDocuments } from './documents/search-documents.ts'
export { editFile } from './edit-file/edit-file.ts'
export { type FindToolsOptions, type FoundTools, findTools } from './find-tools/find-tools.ts'
export { glob } from './glob/glob.ts'
export { grep } from './grep/grep.ts'
export type { Change } from './guard/folder/commit.ts'
export { secretNames } from './guard/folder/deny.ts'
export { fileTools } from './guard/folder/file-tools.ts'
export { type CurrentFile, type Folder, type FolderOptions, folder } from './guard/folder/folder.ts'
export type { Entry } from './guard/folder/walk.ts'
export type { Resolve } from './guard/net/connect.ts'
export {
  type GuardedFetch,
  guardedFetch,
  type NetworkOptions,
  type NetworkReply,
  type NetworkRequest,
} from './guard/net/guarded-fetch.ts'
export { NetworkError, type NetworkProblem } from './guard/net/network-error.ts'
export { type HttpMethod, type HttpRequestOptions, httpRequest } from './http-request/http-request.ts'
export { type ImageGenerateOptions, imageGenerate } from './image-generate/image-generate.ts'
export { listFiles } from './list-files/list-files.ts'
export { type LoadPluginOptions, loadPlugin } from './load-plugin/load-plugin.ts'
export { keepPlan } from './plan/keep-plan.ts'
export { type PlanInput, plan } from './plan/plan.ts'
export { readFile } from './read-file/read-file.ts'
export { type CommandInput, type RunCommandOptions, runCommand } from './run-command/run-command.ts'
export { type RunJavascriptOptions, runJavascript } from './run-javascript/run-javascript.ts'
export { type RunPythonOptions, runPython } from './run-python/run-python.ts'
export { type ShapeOutputOptions, shapeOutput } from './shape-output/shape-output.ts'
export { type ShellOptions, shell } from './shell/shell.ts'
export { type SqlQueryOptions, sqlQuery } from './sql-query/sql-query.ts'
export { type TaskOptions, task } from './task/task.ts'
export { type ReadPage, readReply } from './web-fetch/read-reply.ts'
export { type WebFetchOptions, webFetch } from './web-fetch/web-fetch.ts'
export { type OpenrouterSearchOptions, openrouterSearch } from './web-search/openrouter-search.ts'
export { brave, exa, type KeyedSearchOptions, type SearxngOptions, searxng, tavily } from './web-search/providers.ts'
export { type SearchDocument, searchOf } from './web-search/search-of.ts'
export type { SearchProvider, SearchRequest, SearchResult } from './web-search/search-provider.ts'
export { type WebSearchOptions, webSearch } from './web-search/web-search.ts'
export { writeFile } from './write-file/write-file.ts'
