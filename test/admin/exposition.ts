/** One line of the text that Prometheus scrapes. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/g

/**
 * Reads the text format, and takes nothing that it does not allow. Source: Prometheus documentation, "Exposition formats".
 *
 * @throws Error that names the line
 */
export function parseExposition(text: string): { samples: Sample[]; types: Map<string, string> } {
  const types = new Map<string, string>()
  const helped = new Set<string>()
  const samples: Sample[] = []
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  for (const line of text.split('\n').slice(0, -1)) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line)
    if (line === '') continue
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment
      const seen = kind === 'HELP' ? helped.has(name) : types.has(name)
      if (seen) throw new Error(`${name} is described twice`)
      if (kind === 'HELP') helped.add(name)
      else types.set(name, rest)
      continue
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (sample === null) throw new Error(`not a sample: ${line}`)
    const [, name = '', labelText = '', valueText = ''] = sample
    const labels = Array.from(labelText.matchAll(labelPattern), ([, key, value]) => [key!, value!] as const)
    if (labels.map(([key, value]) => `${key}="${value}"`).join(',') !== labelText)
      throw new Error(`not labels: ${line}`)
    const value = valueText === '+Inf' ? Infinity : Number(valueText)
    if (Number.isNaN(value)) throw new Error(`not a number: ${line}`)
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')
    if (!types.has(family)) throw new Error(`${name} has no type`)
    samples.push({ name, labels: Object.fromEntries(labels), value })
  }
  return { samples, types }
}
