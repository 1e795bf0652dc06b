/** `fileTools` gives an agent the usual tools for a folder: reading, and writing unless the folder is only read. */
import type { Tool } from '@clew/core'
import { editFile } from '../../edit-file/edit-file.ts'
import { glob } from '../../glob/glob.ts'
import { grep } from '../../grep/grep.ts'
import { listFiles } from '../../list-files/list-files.ts'
import { readFile } from '../../read-file/read-file.ts'
import { writeFile } from '../../write-file/write-file.ts'
import type { Folder } from './folder.ts'

/**
 * `read_file`, `list_files`, `glob`, `grep`; then `write_file` and `edit_file`. `applyPatch(files)` stands for itself: models
 * that are not trained on patches do better with `edit_file`, and with both they have to choose.
 */
export function fileTools(files: Folder): Tool[] {
  const tools = [readFile(files), listFiles(files), glob(files), grep(files)]
  return files.write === 'never' ? tools : [...tools, writeFile(files), editFile(files)]
}
