import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { endOf, onEnd } from './process.ts'

const endMsMax = 24 * 3600 * 1_000
const complaintCharsMax = 2_000

/**
 * A process of the bench's own that is told lines on stdin and answers with JSON, an object a line. It is in a session of
 * its own, so that Ctrl-C in a terminal reaches the bench alone, and ends when its stdin does: with the bench, however that ends.
 * One that `outlives` the bench has something to do then, and says on the bench's stderr what went wrong with it.
 */
export class TalkingChild {
  readonly #child: ChildProcess
  readonly #forget: () => void
  #complaint = ''
  /** Never rejects. */
  readonly ended: Promise<void>

  /** @param heard  is told each object  @param ended  how it has ended, see `endOf` */
  constructor(
    script: string,
    plan: unknown,
    env: Readonly<Record<string, string>>,
    heard: (said: unknown) => void,
    ended: (how: string) => void,
    outlives = false,
  ) {
    this.#child = spawn(process.execPath, [script, JSON.stringify(plan)], {
      stdio: ['pipe', 'pipe', outlives ? 'inherit' : 'pipe'],
      detached: true,
      env: { ...env },
    })
    this.#forget = outlives ? () => undefined : onEnd(() => void this.#child.kill('SIGKILL'))
    // It may be gone when it is told something.
    this.#child.stdin!.on('error', () => undefined)
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-complaintCharsMax)
    })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => heard(JSON.parse(line)))
    this.ended = this.#end(ended)
  }

  /** The end of what it has said on stderr. */
  get complaint(): string {
    return this.#complaint.trim()
  }

  tell(line: string): void {
    this.#child.stdin!.write(`${line}\n`)
  }

  /** Ends its stdin, which it takes for the end. */
  finish(): void {
    this.#child.stdin!.end()
  }

  async #end(ended: (how: string) => void): Promise<void> {
    const how = await endOf(this.#child, endMsMax)
    this.#forget()
    ended(how)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
