/**
 * What every line of a workload carries: its time, its file and its number, always as long and never escaped in JSON.
 *
 *   2026-11-26T04:20:14.123456Z 00042-0000001234
 *   time, UTC, µs               file  number
 */
export const headBytes = 44
export const filesMax = 10_000
export const linesOfFileMax = 2 ** 31 - 2

export function logName(file: number): string {
  return `app-${String(file).padStart(4, '0')}.log`
}

const zoneAt = 26
const fileAt = 28
const dashAt = 33
const numberAt = 34
const numberDigits = 10
export const dayUs = 86_400_000_000
const zero = 0x30

/** Of the time, what lines of one second have in common, point included; `#` stands for a digit. */
const secondShape = '####-##-##T##:##:##.'

/** The part that lines of one file and one moment have in common: all but the number. */
export class HeadStamp {
  readonly bytes = Buffer.alloc(headBytes)
  #timeUs = -1

  /** @param timeUs  since the epoch */
  set(file: number, timeUs: number): void {
    const whole = Math.floor(timeUs)
    if (whole !== this.#timeUs) {
      this.#timeUs = whole
      const second = new Date(Math.floor(whole / 1e6) * 1e3).toISOString().slice(0, 19)
      this.bytes.write(`${second}.${String(whole % 1e6).padStart(6, '0')}Z `, 0, 'latin1')
    }
    putDigits(this.bytes, fileAt, dashAt - fileAt, file)
    this.bytes[dashAt] = 0x2d
  }

  /** Writes the head of line `number` to `at`. */
  put(target: Buffer, at: number, number: number): void {
    const { bytes } = this
    for (let n = 0; n < numberAt; n++) target[at + n] = bytes[n]!
    putDigits(target, at + numberAt, numberDigits, number)
  }
}

function putDigits(target: Buffer, at: number, digits: number, value: number): void {
  let left = value
  for (let n = at + digits - 1; n >= at; n--) {
    const tenth = (left / 10) | 0
    target[n] = zero + left - tenth * 10
    left = tenth
  }
}

/** Reads heads without making anything: the fields hold what the last one said. */
export class HeadReader {
  file = 0
  number = 0
  /** Of the day, UTC, µs. */
  timeOfDayUs = 0
  /** The second that was read last: neighbours have the same. */
  readonly #second = Buffer.alloc(secondShape.length)
  #secondUs = 0

  /** False when there is none at `at`; what follows a head is not looked at. */
  read(bytes: Buffer, at: number, end: number): boolean {
    if (at < 0 || at + headBytes > end || bytes[at + zoneAt] !== 0x5a || bytes[at + dashAt] !== 0x2d) return false
    if (bytes[at + zoneAt + 1] !== 0x20) return false
    if (!this.#isSameSecond(bytes, at) && !this.#readSecond(bytes, at)) return false
    const fractionUs = numberFrom(bytes, at + secondShape.length, zoneAt - secondShape.length)
    const file = numberFrom(bytes, at + fileAt, dashAt - fileAt)
    const number = numberFrom(bytes, at + numberAt, numberDigits)
    if (fractionUs < 0 || file < 0 || number < 0) return false
    this.file = file
    this.number = number
    this.timeOfDayUs = this.#secondUs + fractionUs
    return true
  }

  #isSameSecond(bytes: Buffer, at: number): boolean {
    const second = this.#second
    // The digits that change most come first.
    for (let n = secondShape.length - 1; n >= 0; n--) if (bytes[at + n] !== second[n]) return false
    return true
  }

  #readSecond(bytes: Buffer, at: number): boolean {
    for (let n = 0; n < secondShape.length; n++) {
      const byte = bytes[at + n]!
      const shape = secondShape.charCodeAt(n)
      if (shape === 0x23 ? byte < zero || byte > 0x39 : byte !== shape) return false
    }
    bytes.copy(this.#second, 0, at, at + secondShape.length)
    const [hours, minutes, seconds] = [at + 11, at + 14, at + 17].map((place) => numberFrom(bytes, place, 2))
    this.#secondUs = ((hours! * 60 + minutes!) * 60 + seconds!) * 1e6
    return true
  }

  /** The first head in [from, end), and reads it; -1: there is none. */
  find(bytes: Buffer, from: number, end: number): number {
    for (let at = from + zoneAt; ;) {
      at = bytes.indexOf('Z 0', at, 'latin1')
      if (at < 0 || at >= end) return -1
      if (at - zoneAt >= from && this.read(bytes, at - zoneAt, end)) return at - zoneAt
      at += 1
    }
  }
}

/** -1: not digits alone. */
function numberFrom(bytes: Buffer, at: number, digits: number): number {
  let value = 0
  for (let n = at; n < at + digits; n++) {
    const digit = bytes[n]! - zero
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** The first head in a text. */
export function findHead(
  text: string,
): { readonly at: number; readonly file: number; readonly number: number } | undefined {
  const found = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (0\d{4})-(\d{10})/.exec(text)
  return found === null ? undefined : { at: found.index, file: Number(found[1]), number: Number(found[2]) }
}
