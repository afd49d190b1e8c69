/** Figures and names as a person reads them. */
import { filled } from '../../base/words.ts'
import type { Spread } from '../stats.ts'
import { isLowerBound } from '../bounds.ts'
import type { Enforcement, Figure, Row } from '../types.ts'

/** One line without anything that a terminal would obey: names of files are not ours. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�')
}

/** Two or three digits that count: `0.012`, `5.1`, `38`, `1,204`, `276k`, `1.38M`. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '?'
  const size = Math.abs(value)
  if (size >= 999_500) return `${Number((value / 1e6).toPrecision(3)).toLocaleString('en-US')}M`
  if (size >= 9_999.5) return `${Number((value / 1e3).toPrecision(3))}k`
  if (size >= 99.5 || value === 0) return Math.round(value).toLocaleString('en-US')
  return size >= 1e-4 ? String(Number(value.toPrecision(2))) : value.toExponential(1)
}

/** `38 (36–40)`, or `38` when all repeats come to the same, or there was one only. */
export function spreadText({ median, min, max }: Spread): string {
  const [middle, low, high] = [median, min, max].map(numberText) as [string, string, string]
  return low === middle && high === middle ? middle : `${middle} (${low}–${high})`
}

/** As `spreadText`; `≥ 38 (36–40)` where something other than the agent ended the search for the highest rate. */
export function figureText(row: Pick<Row, 'notes'>, { name, spread }: Pick<Figure, 'name' | 'spread'>): string {
  return `${name === 'highest rate' && isLowerBound(row) ? '≥ ' : ''}${spreadText(spread)}`
}

export function mibText(bytes: number): string {
  return `${numberText(bytes / 2 ** 20)} MiB`
}

/** How the limits were made to hold, as the end of a sentence. */
export function enforcementText(enforcement: Enforcement): string {
  if (enforcement.kind === 'cgroup') return `held by a cgroup of the agent's own (v${enforcement.version})`
  if (enforcement.kind === 'container') {
    const { engine, isRootless, image } = enforcement
    return `held by a container of the agent's own (${engine}${isRootless ? ' without root' : ''}, image ${image})`
  }
  if (enforcement.kind === 'none') return 'NOT ENFORCED'
  return `held by the cgroup that the bench runs in too (v${enforcement.version}): writer and server share it`
}

/** `40 s`, `3 min 20 s`, `1 h 5 min`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min${whole % 60 === 0 ? '' : ` ${whole % 60} s`}`
  return `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`
}

/** Lines of at most `columns` characters, each after `indent`; a word that is longer is cut in pieces. */
export function wrapped(text: string, columns: number, indent = ''): string[] {
  const room = Math.max(1, columns - indent.length)
  const words = plain(text)
    .split(' ')
    .flatMap((word) =>
      Array.from({ length: Math.ceil(word.length / room) }, (_, n) => word.slice(n * room, (n + 1) * room)),
    )
  const lines = filled(words, room)
  return (lines.length === 0 ? [''] : lines).map((each) => indent + each)
}
