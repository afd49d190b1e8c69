/** The addresses of Elasticsearch. No message repeats one: a mistaken URL may have a password anywhere in it. */
import { bad, good } from '../base/units.ts'
import type { Parsed } from '../base/units.ts'
import type { Kind } from './kinds.ts'

const urlsMax = 16
const urlCharactersMax = 1024

/** Comma-separated http or https URLs, given back without a final slash. */
export const urls: Kind<readonly string[]> = {
  words: 'URLs',
  bounds: `http or https, comma-separated, at most ${urlsMax}`,
  show: (value) => value.join(','),
  parse(text) {
    // Before the list is taken apart: a password with a comma in it would leave one half that looks harmless.
    if (text.includes('@')) {
      const wayOut =
        'write it without user and password, and set REMORA_USERNAME and REMORA_PASSWORD, or REMORA_API_KEY'
      return bad('it has credentials in it (an @)', wayOut)
    }
    const given = text.split(',').map((each) => each.trim())
    if (given.length > urlsMax) return bad(`it lists ${given.length} URLs`, `list at most ${urlsMax}`)
    const found: string[] = []
    for (const [index, each] of given.entries()) {
      const parsed = parseUrl(each, given.length > 1 ? `entry ${index + 1}` : 'it')
      if (!parsed.ok) return parsed
      if (!found.includes(parsed.value)) found.push(parsed.value)
    }
    return good(found)
  },
}

/** Whether nothing sent to this address leaves the machine's own network namespace: a Pod, or a laptop. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
}

function parseUrl(text: string, which: string): Parsed<string> {
  const example = 'write for example https://elasticsearch.logging.svc:9200'
  if (text === '') return bad(`${which} is empty`, 'remove the comma that stands for nothing')
  if (text.length > urlCharactersMax) return bad(`${which} is longer than ${urlCharactersMax} characters`, example)
  if (!/^https?:\/\/[^/]/i.test(text))
    return bad(`${which} does not begin with http:// or https:// and a host`, example)
  const url = URL.parse(text)
  if (url === null || /\s/.test(text)) return bad(`${which} is not a URL (is the port a number up to 65535?)`, example)
  if (/[?#]/.test(text)) return bad(`${which} has a ? or # in it`, 'write host, port and path prefix only')
  return good(`${url.origin}${url.pathname}`.replace(/\/+$/, ''))
}
