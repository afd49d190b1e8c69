import type { Sample } from './exposition.ts'

const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/g

/** What the samples of a family may be called, by its type. */
const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count', '_created'],
}

/** Behind a family's name each of these is another family's sample. */
const reserved = ['_total', '_created', '_bucket', '_sum', '_count', '_info', '_gsum', '_gcount']

/**
 * Reads OpenMetrics, of which it takes what Remora has any use for, and nothing that it does not allow.
 * Source: OpenMetrics 1.0, sections 5.1 (ABNF) and 5.2 (requirements of the text format).
 *
 * @throws Error that names the line
 */
export function parseOpenMetrics(text: string): { samples: Sample[]; types: Map<string, string> } {
  const types = new Map<string, string>()
  const helped = new Set<string>()
  const samples: Sample[] = []
  const seen = new Set<string>()
  let family = ''
  if (!text.endsWith('\n# EOF\n')) throw new Error('it does not end with # EOF')
  for (const line of text.slice(0, -'\n# EOF\n'.length).split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line)
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment
      if (name !== family && (helped.has(name) || types.has(name))) throw new Error(`${name} is in two places`)
      family = name
      if (kind === 'HELP') {
        if (helped.has(name)) throw new Error(`${name} has two helps`)
        if (/(^|[^\\])"|\\(?![\\n"])/.test(rest)) throw new Error(`the help of ${name} is not escaped`)
        helped.add(name)
      } else {
        if (suffixes[rest] === undefined) throw new Error(`${name} is a ${rest}`)
        types.set(name, rest)
      }
      continue
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (sample === null) throw new Error(`not a sample: ${line}`)
    const [, name = '', labelText = '', valueText = ''] = sample
    const type = types.get(family)
    if (type === undefined) throw new Error(`${name} comes before its type`)
    if (!suffixes[type]!.some((suffix) => name === family + suffix)) throw new Error(`${name} is none of ${family}`)
    const labels = Array.from(labelText.matchAll(labelPattern), ([, key, value]) => [key!, value!] as const)
    if (labels.map(([key, value]) => `${key}="${value}"`).join(',') !== labelText) throw new Error(`labels: ${line}`)
    if (new Set(labels.map(([key]) => key)).size !== labels.length) throw new Error(`a label twice: ${line}`)
    const series = `${name} ${labels
      .map((label) => label.join('='))
      .toSorted()
      .join(' ')}`
    if (seen.has(series)) throw new Error(`twice: ${line}`)
    seen.add(series)
    const le = labels.find(([key]) => key === 'le')?.[1]
    if (le !== undefined && !/^(\d+\.\d+|\+Inf)$/.test(le)) throw new Error(`not a float: ${line}`)
    const value = valueText === '+Inf' ? Infinity : Number(valueText)
    if (Number.isNaN(value) || (type === 'counter' && value < 0)) throw new Error(`not a number: ${line}`)
    samples.push({ name, labels: Object.fromEntries(labels), value })
  }
  for (const name of types.keys())
    for (const suffix of reserved)
      if (types.has(name + suffix) && suffix !== '_info') throw new Error(`${name} and ${name}${suffix}`)
  return { samples, types }
}
