import fs from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { describePrograms, Logrotate } from '../kit/logrotate.ts'
import { differencesOf, noDifferences, Scene, type Differences } from '../kit/scene.ts'

interface Mode {
  readonly name: string
  /** As in logrotate.conf(5). */
  readonly directives: readonly string[]
  /** The file is emptied in place: the application keeps its descriptor. */
  readonly truncates?: true
  /** What is written after the rename goes into a file that is being packed and then deleted: nobody may write then. */
  readonly packsAtOnce?: true
}

const dated = ['dateext', 'dateformat -%Y%m%d-%s']
const zstd = ['compress', 'compresscmd /usr/bin/zstd', 'compressext .zst']

const modes: readonly Mode[] = [
  { name: 'create', directives: ['create 0644'] },
  { name: 'nocreate', directives: ['nocreate'] },
  { name: 'compress', directives: ['create 0644', 'compress'], packsAtOnce: true },
  { name: 'compress, delaycompress', directives: ['create 0644', 'compress', 'delaycompress'] },
  { name: 'dateext', directives: ['create 0644', ...dated] },
  { name: 'dateext, compress', directives: ['create 0644', ...dated, 'compress'], packsAtOnce: true },
  { name: 'olddir', directives: ['create 0644', 'olddir old', 'createolddir 0755'] },
  { name: 'zstd', directives: ['create 0644', ...zstd], packsAtOnce: true },
  { name: 'copytruncate', directives: ['copytruncate'], truncates: true },
  { name: 'copytruncate, dateext', directives: ['copytruncate', ...dated], truncates: true },
  { name: 'copytruncate, compress', directives: ['copytruncate', 'compress'], truncates: true },
  {
    name: 'copytruncate, compress, delaycompress',
    directives: ['copytruncate', 'compress', 'delaycompress'],
    truncates: true,
  },
  { name: 'copytruncate, zstd', directives: ['copytruncate', ...zstd], truncates: true },
]

/** A slow machine is no fault. */
const timeout = 180_000
const globs = ['*.log', 'app.log*'] as const
const cases = globs.flatMap((glob) => modes.map((mode) => ({ name: mode.name, glob, mode })))

/** An application under logrotate: it writes numbered lines and behaves as one does under this mode. */
class Application {
  readonly lines: string[] = []
  readonly #mode: Mode
  readonly #path: string
  readonly #rotator: Logrotate
  #descriptor: number

  constructor(scene: Scene, mode: Mode, keep: number) {
    this.#mode = mode
    this.#path = scene.log('app.log')
    this.#rotator = new Logrotate(scene.directory, this.#path, [`rotate ${keep}`, ...mode.directives])
    this.#descriptor = fs.openSync(this.#path, 'a')
  }

  write(count: number): void {
    const from = this.lines.length
    for (let n = 1; n <= count; n++) this.lines.push(`line ${from + n} of the application`)
    const texts = this.lines.slice(from).map((line) => `${line}\n`)
    fs.writeSync(this.#descriptor, texts.join(''))
  }

  async rotate(): Promise<void> {
    const { truncates, packsAtOnce } = this.#mode
    await this.#rotator.rotate()
    if (truncates) return
    // Between the rename and the signal to open anew an application writes on.
    if (!packsAtOnce) this.write(20)
    fs.closeSync(this.#descriptor)
    this.#descriptor = fs.openSync(this.#path, 'a')
  }

  close(): void {
    fs.closeSync(this.#descriptor)
  }
}

interface Account {
  readonly differences: Differences
  /** Where it is what the agents said, when there is reason to read it. */
  readonly said: string
}

type Play = (scene: Scene, application: Application) => Promise<void>

/** Plays, and then a last process sees all that the others have left: only the last lines are new to it. */
async function under(mode: Mode, glob: string, keep: number, play: Play): Promise<Account> {
  return Scene.play('logrotate', glob, async (scene) => {
    const application = new Application(scene, mode, keep)
    try {
      await play(scene, application)
      await scene.arrived(application.lines.length)
      await scene.end('SIGTERM')
      scene.start()
      application.write(10)
      await scene.arrived(application.lines.length)
      await scene.end('SIGTERM')
      const differences = differencesOf(application.lines, await scene.messages())
      return { differences, said: isDeepStrictEqual(differences, noDifferences) ? '' : scene.said() }
    } finally {
      application.close()
    }
  })
}

describePrograms(['logrotate', 'gzip', 'zstd'], 'the real logrotate: every line is there once', () => {
  describe.concurrent('five rotations under a running agent, two files kept', () => {
    test.for(cases)('$name, read through $glob', { timeout }, async ({ mode, glob }) => {
      const { differences, said } = await under(mode, glob, 2, async (scene, application) => {
        scene.start()
        for (let round = 0; round < 5; round++) {
          application.write(500)
          if (round % 2 === 0) await scene.arrived(application.lines.length)
          // These may be read from the file, from its descriptor, from the copy or from the archive.
          application.write(200)
          await application.rotate()
        }
        application.write(100)
      })
      expect(differences, said).toEqual(noDifferences)
    })
  })

  describe.concurrent('one rotation, and then two, while the agent is killed with unread lines behind it', () => {
    test.for(cases)('$name, read through $glob', { timeout }, async ({ mode, glob }) => {
      const { differences, said } = await under(mode, glob, 3, async (scene, application) => {
        scene.start()
        application.write(500)
        await scene.arrived(application.lines.length)
        application.write(300)
        await scene.end('SIGKILL')
        await application.rotate()
        application.write(100)
        scene.start()
        await scene.arrived(application.lines.length)
        application.write(300)
        await scene.end('SIGKILL')
        for (let round = 0; round < 2; round++) {
          application.write(200)
          await application.rotate()
        }
        application.write(100)
        scene.start()
      })
      expect(differences, said).toEqual(noDifferences)
    })
  })
})
