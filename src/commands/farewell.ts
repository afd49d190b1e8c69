/** The last words of a run: what became of the lines, and what is left of which file. Pure: a summary in, a message out. */
import type { Summary } from '../agent.ts'
import { limits } from '../base/limits.ts'
import type { LeftOfFile } from '../agent/left.ts'

export interface Farewell {
  readonly level: 'info' | 'warn'
  readonly code: 'STOPPED' | 'STOPPED_WITH_REST'
  readonly fields: object
  readonly text: string
}

const checkpointWords: Readonly<Record<Summary['checkpoint'], string>> = {
  written: '',
  failed:
    '. The last checkpoint could not be written: after a restart some lines are sent again, and answered as duplicates',
  hanging:
    '. The disk of REMORA_STATE_DIR did not take the last checkpoint in time; the one before is whole: after a restart some lines are sent again, and answered as duplicates',
  kept: '. The checkpoint of before is kept, for this process has failed or has not seen all files yet: after a restart some lines are sent again, and answered as duplicates',
}

export function farewell(summary: Summary): Farewell {
  const { ledger, unreadBytes, heldLines, files, checkpoint } = summary
  const account =
    `read ${ledger.readLines} lines, acknowledged ${ledger.acknowledgedLines} (${ledger.duplicateLines} were there already), ` +
    `filtered ${ledger.filteredLines}, dead-lettered ${ledger.deadLetteredLines}, lost ${ledger.lostLines}, held ${ledger.heldLines}` +
    droppedWords(ledger.droppedFiles, ledger.droppedBytes)
  const named = files.slice(0, limits.leftFilesMax)
  const fields = {
    remora: {
      ledger,
      unreadBytes,
      unreadFiles: files.filter((file) => file.unreadBytes > 0).length,
      left: named,
      checkpoint,
    },
  }
  if (heldLines === 0 && unreadBytes === 0) {
    const text = `stopped, everything is shipped: ${account}${checkpointWords[checkpoint]}`
    return { level: checkpoint === 'written' ? 'info' : 'warn', code: 'STOPPED', fields, text }
  }
  const more = files.length - named.length
  const list = `${named.map(wordsOf).join('; ')}${more > 0 ? `; and ${more} more` : ''}`
  const text =
    `stopped: ${account}; ${unreadBytes} bytes of ${files.length} files are left: ${list}. ` +
    `They are shipped after a restart of the container; with the Pod they are gone${checkpointWords[checkpoint]}`
  return { level: 'warn', code: 'STOPPED_WITH_REST', fields, text }
}

function droppedWords(files: number, bytes: number): string {
  return files === 0 ? '' : `; ${files} unshipped files were deleted for the volume, with ${bytes} unread bytes`
}

function wordsOf({ path, unreadBytes, heldLines }: LeftOfFile): string {
  return `${path}: ${unreadBytes} bytes unread, ${heldLines} lines held`
}
