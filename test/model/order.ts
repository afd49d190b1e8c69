import type { State } from '../../src/base/state.ts'
import { generationOf, type MemoryServer, type Stored } from '../kit/agent-server.ts'
import type { Application } from './application.ts'
import type { Life } from './lives.ts'

/** Frontiers that one process has written: none passes a line without a final verdict, and none moves backwards. */
export class WrittenFrontiers {
  readonly #offsets = new Map<string, number>()

  /** @param text  of the checkpoint that was just written  @returns what is wrong */
  check(text: string, server: MemoryServer): string[] {
    const broken: string[] = []
    const state = JSON.parse(text.split('\n')[1]!) as State
    const offsets = new Map<string, number[]>()
    for (const { id, anchor, offset } of state.generations) {
      for (const name of new Set([id, anchor?.id])) {
        // No line has it yet.
        if (anchor !== null && name === anchor.id && name !== id && offset <= anchor.offset) continue
        if (typeof name === 'string') offsets.set(name, [...(offsets.get(name) ?? []), offset])
      }
    }
    // Files with equal bytes may have one name: then the one that has come least far counts.
    for (const [name, of] of offsets) {
      const before = this.#offsets.get(name) ?? 0
      if (of.length === 1 && of[0]! < before)
        broken.push(`the frontier of ${name} moved from ${before} back to ${of[0]}`)
      this.#offsets.set(name, Math.min(...of))
    }
    for (const { id, offset } of server.unsettled()) {
      const name = generationOf(id)
      const frontier = this.#offsets.get(name) ?? 0
      if (offset < frontier && offsets.has(name))
        broken.push(`the frontier ${frontier} of ${id} passed a line at ${offset}`)
    }
    return broken
  }

  /** Those of some documents that lie before a frontier: nobody sends them again. */
  passed(documents: Iterable<Stored>): Stored[] {
    return [...documents].filter(({ id, offset }) => offset < (this.#offsets.get(generationOf(id)) ?? 0))
  }
}

/**
 * Rotated files that can be read drain before their successors. One whose content is gone, or in an archive only, or that
 * could not be read, or that was written after its successor had bytes, does not hold those up: `log.offset` and the name
 * give the order back.
 */
export function outOfOrder(application: Application, documents: readonly Stored[]): string[] {
  const broken: string[] = []
  const reached = new Map<string, { life: Life; line: number }>()
  for (const { path, message, offset } of documents) {
    const found = application.lifeOf(message)
    // A last line without its end waits for it.
    if (found === undefined || offset >= found.life.lineStart) continue
    const before = reached.get(path)
    reached.set(path, found)
    if (before === undefined || !found.life.drainsFirst || found.line > before.line) continue
    if (offset >= found.life.lateFrom) continue
    const { lives } = application
    if (lives.indexOf(before.life) > lives.indexOf(found.life)) {
      broken.push(`${message.slice(0, 20)} of ${path} came behind its successor`)
    }
  }
  return broken
}
