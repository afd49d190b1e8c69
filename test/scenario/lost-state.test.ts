import fs from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { differencesOf, noDifferences, Scene } from '../kit/scene.ts'
import { banner } from '../kit/storm/lines.ts'
import { RotatedFile, type Mode } from '../kit/storm/rotator.ts'

/** What ends the process that the state was deleted under, or before. */
type Loss = 'deleted while running, then killed' | 'killed, then deleted' | 'stopped, then deleted'

const losses: readonly Loss[] = ['deleted while running, then killed', 'killed, then deleted', 'stopped, then deleted']
const rotations: readonly Mode[] = ['rename', 'copytruncate']
const globs = ['*.log', 'app.log*'] as const
const keep = 5
/** A slow machine is no fault. */
const timeout = 180_000

/** Each life of the file begins with the same banner; the lines after it carry a counter. */
class Application {
  readonly lines: string[] = []
  readonly #file: RotatedFile
  readonly #mode: Mode
  banners = 0

  constructor(scene: Scene, mode: Mode) {
    this.#mode = mode
    this.#file = new RotatedFile(scene.log('app.log'), keep)
    this.#begin()
  }

  /** Documents that all of it makes. */
  get documents(): number {
    return this.lines.length + this.banners
  }

  write(count: number): void {
    const from = this.lines.length
    for (let n = 1; n <= count; n++) this.lines.push(`request ${from + n} served`)
    this.#append(this.lines.slice(from))
  }

  rotate(): void {
    if (this.#mode === 'rename') {
      this.#file.rename()
      this.#file.reopen()
    } else {
      Array.from(this.#file.copy())
      this.#file.truncate()
    }
    this.#begin()
  }

  close(): void {
    this.#file.close()
  }

  #begin(): void {
    this.banners++
    this.#append([banner])
  }

  #append(lines: readonly string[]): void {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
    this.#file.append(bytes, 0, bytes.length)
  }
}

async function lose(scene: Scene, application: Application, loss: Loss): Promise<void> {
  const remove = () => fs.rmSync(scene.stateDir, { recursive: true, force: true })
  if (loss === 'deleted while running, then killed') {
    remove()
    application.write(300)
    application.rotate()
    application.write(300)
    await scene.arrived(application.documents)
    application.write(100)
    await scene.end('SIGKILL')
  } else {
    application.write(300)
    await scene.end(loss === 'killed, then deleted' ? 'SIGKILL' : 'SIGTERM')
    remove()
  }
}

const cases = globs.flatMap((glob) => rotations.flatMap((mode) => losses.map((loss) => ({ glob, mode, loss }))))

describe.concurrent('the state directory is gone, the UID of the Pod is known', () => {
  test.for(cases)('$loss; $mode, read through $glob', { timeout }, async ({ glob, mode, loss }) => {
    await Scene.play('lost-state', glob, async (scene) => {
      const application = new Application(scene, mode)
      try {
        scene.start()
        for (let round = 0; round < 2; round++) {
          application.write(400)
          await scene.arrived(application.documents)
          application.rotate()
        }
        application.write(400)
        await scene.arrived(application.documents)
        await lose(scene, application, loss)
        // Nobody has seen these, nor the rotation after them.
        application.write(200)
        application.rotate()
        application.write(200)
        scene.start()
        await scene.arrived(application.documents)
        application.write(100)
        await scene.arrived(application.documents)
        await scene.end('SIGTERM')
        // A further process, with the new state, finds nothing more to send.
        scene.start()
        application.write(10)
        await scene.arrived(application.documents)
        await scene.end('SIGTERM')
        const found = await scene.messages()
        const banners = found.get(banner) ?? 0
        found.delete(banner)
        const differences = differencesOf(application.lines, found)
        const said = isDeepStrictEqual(differences, noDifferences) ? '' : scene.said()
        expect(differences, said).toEqual(noDifferences)
        expect(banners, 'no banner is lost').toBeGreaterThanOrEqual(application.banners)
        // A banner that is all that there is of its file says nothing of which one it is.
        expect(banners - application.banners, 'banners that are there twice').toBeLessThanOrEqual(application.banners)
      } finally {
        application.close()
      }
    })
  })
})
