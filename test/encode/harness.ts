import { expect } from 'vitest'
import { standsInHole, type Place } from '../../src/base/charset.ts'
import { Kernel } from '../../src/encode/kernel.ts'
import { limits } from '../../src/base/limits.ts'
import { slackBytes } from '../../src/encode/layout.ts'
import { nest, Templates, type Template } from '../../src/encode/template.ts'
import { nameOf } from '../../src/follow/names.ts'
import { encode, type Around } from './reference.ts'

const readAtMs = Date.UTC(2026, 0, 2, 3, 4, 5, 6)
const fields = new Map([
  ['kubernetes.pod.name', 'orders-"7"'],
  ['service.name', 'orders\n☃'],
])
const path = '/var/log/app/a "quoted"\tname 😀.log'
const templates = new Templates(fields)

function scene(generationId: string | undefined): { around: Around; template: Template } {
  return {
    around: { timestamp: new Date(readAtMs).toISOString(), path, generationId, fields: nest(fields) },
    template: templates.of({ path, generationId, readAtMs, seenMs: 0 }),
  }
}
export const named = scene(nameOf(['pod', 'inode']))
const plain = scene(undefined)

export const inputBytesMax = 16 * 1024
const outputBytesMax = 96 * 1024
const canary = 0xa5
const canaryBytes = 256

const kernels = new Map<number, Kernel>()

/** One for each limit: instances are costly to make and hold nothing between two calls but the template. */
export function kernelFor(lineBytesMax: number): Kernel {
  let kernel = kernels.get(lineBytesMax)
  if (kernel === undefined) {
    kernel = new Kernel(Math.max(inputBytesMax, lineBytesMax + 2), outputBytesMax, lineBytesMax)
    kernels.set(lineBytesMax, kernel)
  }
  return kernel
}

/** One turn of the host: what of the file is there, and what the kernel is given to work with. */
export interface Step {
  /** Bytes that the file grows by before the turn, and that are read at most. */
  readonly grownBytes: number
  readonly readBytesMax: number
  readonly documentsMax: number
  readonly roomBytes: number
  /** Where in the input the bytes are put, and what else lies about there. */
  readonly from: number
  readonly litter: number
}

const generous: Step = {
  grownBytes: Infinity,
  readBytesMax: inputBytesMax,
  documentsMax: 1 << 20,
  roomBytes: outputBytesMax,
  from: 0,
  litter: 10,
}

export interface Shipped {
  readonly text: string
  readonly documents: number
  readonly cutLines: number
  readonly consumedBytes: number
  readonly searchedTo: number
  readonly skipping: boolean
  readonly skippedBytes: number
}

export interface Case {
  readonly bytes: Buffer
  readonly lineBytesMax: number
  /** Of the first byte in its generation. */
  readonly offset: number
  /** The generation ends behind `bytes`. */
  readonly final: boolean
  readonly withIds: boolean
  /** What `bytes` stands in; a line's start when nothing is said. */
  readonly start?: Place
}

export const aroundOf = ({ withIds }: Case): Around => (withIds ? named.around : plain.around)

/** Takes `bytes` through the kernel, turn by turn, each held against the reference; then on until nothing more comes. */
export function ship(given: Case, steps: readonly Step[]): Shipped {
  const { bytes, lineBytesMax, offset, withIds } = given
  const kernel = kernelFor(lineBytesMax)
  kernel.use(withIds ? named.template : plain.template)
  const shipped = {
    text: '',
    documents: 0,
    cutLines: 0,
    consumedBytes: 0,
    searchedTo: 0,
    skipping: false,
    skippedBytes: 0,
  }
  let sizeBytes = 0
  for (let turn = 0; ; turn++) {
    const step = steps[turn] ?? generous
    sizeBytes = Math.min(bytes.length, sizeBytes + step.grownBytes)
    const at = shipped.consumedBytes
    const input = bytes.subarray(at, Math.min(sizeBytes, at + step.readBytesMax))
    const final = given.final && at + input.length === bytes.length
    const { text, ...result } = turnOf(
      kernel,
      given,
      step,
      input,
      offset + at,
      final,
      placeAt(given, at, shipped.skipping),
    )
    shipped.text += text
    shipped.documents += result.documents
    shipped.cutLines += result.cutLines
    shipped.consumedBytes += result.consumedBytes
    shipped.searchedTo = at + result.searchedBytes
    shipped.skipping = result.skipping
    shipped.skippedBytes += result.skippedBytes
    if (turn >= steps.length && result.stop === 'input' && result.consumedBytes === 0) return shipped
  }
}

/** As the host finds it: in the bytes before. */
function placeAt({ bytes, start }: Case, at: number, skipping: boolean): Place {
  if (skipping) return 'cut'
  if (at === 0) return start ?? 'line'
  return standsInHole(bytes.subarray(Math.max(0, at - limits.guardBytes), at)) ? 'hole' : 'line'
}

/** One call of the kernel with everything around it watched. */
function turnOf(
  kernel: Kernel,
  given: Case,
  step: Step,
  input: Buffer,
  offset: number,
  final: boolean,
  place: Place,
): ReturnType<typeof encode> {
  const { documentsMax } = step
  const roomBytes = Math.min(step.roomBytes, kernel.output.length)
  const outputFrom = kernel.output.length - roomBytes
  const from = Math.min(step.from, kernel.input.length - input.length)
  kernel.input.fill(step.litter)
  kernel.input.set(input, from)
  const before = Buffer.from(kernel.input)
  const { buffer, byteOffset, length } = kernel.output
  const guarded = Buffer.from(buffer, byteOffset - slackBytes, length + 2 * slackBytes)
  const outside = [guarded.subarray(0, slackBytes + outputFrom), guarded.subarray(slackBytes + length)]
  for (const part of outside) part.subarray(-canaryBytes).fill(canary)

  const result = { ...kernel.encode(from, from + input.length, outputFrom, offset, documentsMax, final, place) }

  const expected = encode({ input, offset, roomBytes, documentsMax, final, place }, given.lineBytesMax, aroundOf(given))
  const text = kernel.output.toString('utf8', outputFrom, result.outputBytes)
  expect({ ...result, outputBytes: result.outputBytes - outputFrom, text }).toEqual(expected)
  expect(before.equals(kernel.input), 'the input is left alone').toBe(true)
  for (const part of outside) {
    expect(
      part.subarray(-canaryBytes).every((byte) => byte === canary),
      'nothing is written outside',
    ).toBe(true)
  }
  return expected
}
