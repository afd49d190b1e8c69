export type Format = 'text' | 'openmetrics'

interface Range {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  /** How much it is wanted, from 0 to 1. */
  readonly weight: number
}

/**
 * The format that is asked for; the older one where nothing tells, for any tool reads that.
 *
 * @param accept  the header; what makes no sense in it is passed over
 * Source: RFC 9110, 12.5.1; Prometheus documentation, "Scrape protocols"
 */
export function formatFor(accept: string | undefined): Format {
  const ranges = (accept ?? '').split(',').map(rangeOf)
  const openMetrics = ranges.filter(isOpenMetrics).reduce((most, { weight }) => Math.max(most, weight), 0)
  // A wildcard is no wish: only the name of the older format is held against that of the newer one.
  const text = ranges
    .filter(({ type }) => type === 'text/plain')
    .reduce((most, { weight }) => Math.max(most, weight), 0)
  return openMetrics > 0 && openMetrics >= text ? 'openmetrics' : 'text'
}

/** In the version that is written here, or in any. */
function isOpenMetrics({ type, parameters }: Range): boolean {
  return type === 'application/openmetrics-text' && (parameters.get('version') ?? '1.0.0') === '1.0.0'
}

function rangeOf(text: string): Range {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim().toLowerCase())
  const parameters = new Map(
    rest.map((part) => {
      const at = part.indexOf('=')
      return [
        part.slice(0, Math.max(0, at)).trim(),
        part
          .slice(at + 1)
          .trim()
          .replaceAll('"', ''),
      ]
    }),
  )
  const weight = Number(parameters.get('q') ?? 1)
  return { type, parameters, weight: weight >= 0 && weight <= 1 ? weight : 0 }
}
