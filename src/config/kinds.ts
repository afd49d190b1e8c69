/** The kinds of value that a setting can have: how each is read, what is refused, and how it is shown. */
import { bad, formatBytes, formatDurationMs, good, parseBytes, parseDurationMs, quoted } from '../base/units.ts'
import type { Parsed } from '../base/units.ts'
import { mask } from './secrets.ts'

export interface Kind<T> {
  /** What a person calls it, for the reference: `duration`. */
  readonly words: string
  /** What is accepted, for the reference: `100ms to 1h`; empty when there is nothing to say. */
  readonly bounds: string
  /** @param text never empty, without surrounding spaces and without control characters */
  parse(text: string): Parsed<T>
  /** The value as a person would write it. */
  show(value: T): string
}

/** Bytes, both bounds included. */
export function bytes(min: number, max: number): Kind<number> {
  return between(min, max, 'bytes', parseBytes, formatBytes)
}

/** Milliseconds, both bounds included. */
export function duration(minMs: number, maxMs: number): Kind<number> {
  return between(minMs, maxMs, 'duration', parseDurationMs, formatDurationMs)
}

export function integer(min: number, max: number): Kind<number> {
  const parse = (text: string): Parsed<number> =>
    /^\d{1,15}$/.test(text)
      ? good(Number(text))
      : bad(`${quoted(text)} is not a whole number`, `write digits only, ${min} to ${max}`)
  return between(min, max, 'number', parse, String)
}

function between(
  min: number,
  max: number,
  words: string,
  parse: (text: string) => Parsed<number>,
  show: (value: number) => string,
): Kind<number> {
  const bounds = `${show(min)} to ${show(max)}`
  return {
    words,
    bounds,
    show,
    parse(text) {
      const parsed = parse(text)
      if (!parsed.ok || (parsed.value >= min && parsed.value <= max)) return parsed
      const side =
        parsed.value < min ? `less than the least allowed, ${show(min)}` : `more than the most allowed, ${show(max)}`
      return bad(`${quoted(text)} is ${side}`, `write a value from ${bounds}`)
    },
  }
}

export function choice<const T extends string>(...choices: readonly T[]): Kind<T> {
  return {
    words: 'choice',
    bounds: choices.join(', '),
    show: (value) => value,
    parse(text) {
      const chosen = choices.find((each) => each === text.toLowerCase())
      return chosen === undefined
        ? bad(`${quoted(text)} is not one of its values`, `write one of ${choices.join(', ')}`)
        : good(chosen)
    },
  }
}

/** Free text of at most `bytesMax` bytes of UTF-8. */
export function freeText(bytesMax: number): Kind<string> {
  return {
    words: 'text',
    bounds: `at most ${bytesMax} bytes`,
    show: (value) => value,
    parse: (given) => (fits(given, bytesMax) ? good(given) : tooLong(given, bytesMax)),
  }
}

/** The name of a Pod, namespace or node, or a Pod's UID: what the Downward API can give. */
export function kubernetesName(bytesMax: number, fieldPath: string): Kind<string> {
  return {
    words: 'name',
    bounds: `at most ${bytesMax} bytes of A-Z a-z 0-9 . _ -`,
    show: (value) => value,
    parse(given) {
      if (!fits(given, bytesMax)) return tooLong(given, bytesMax)
      if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(given)) return good(given)
      const wayOut = `take it from the Downward API: valueFrom.fieldRef.fieldPath: ${fieldPath}`
      return bad(`${quoted(given)} holds what no such name in Kubernetes holds`, wayOut)
    },
  }
}

/** An absolute path to one file or directory; the answer has no doubled and no final slash. */
export const absolutePath: Kind<string> = {
  words: 'path',
  bounds: 'absolute',
  show: (value) => value,
  parse(given) {
    if (!fits(given, 4000)) return tooLong(given, 4000)
    if (!given.startsWith('/'))
      return bad(`${quoted(given)} is not an absolute path`, 'write a path that begins with /')
    const segments = given.split('/').filter((segment) => segment !== '' && segment !== '.')
    if (segments.includes('..')) return bad(`${quoted(given)} has a .. in it`, 'write the path without ..')
    if (segments.length === 0) return bad(`${quoted(given)} is the root of the file system`, 'name a path below it')
    return good(`/${segments.join('/')}`)
  },
}

/** The `encoded` form of an Elasticsearch API key. Its text never appears in a message. */
export const apiKey: Kind<string> = {
  words: 'secret',
  bounds: 'the encoded form',
  show: () => mask,
  parse(given) {
    const wayOut = 'give the value of "encoded" in the answer that created the key'
    if (!fits(given, 4096)) return bad('it is longer than any API key (4096 bytes)', wayOut)
    if (given.includes(':')) return bad('it is in the form id:key, which Elasticsearch does not accept', wayOut)
    if (!/^[\x21-\x7e]+$/.test(given)) return bad('it holds spaces or characters that no API key holds', wayOut)
    return good(given)
  },
}

/** A token for `Authorization: Bearer`. Its text never appears in a message. Source: RFC 6750, section 2.1. */
export const bearerToken: Kind<string> = {
  words: 'secret',
  bounds: 'a token without spaces',
  show: () => mask,
  parse(given) {
    if (!fits(given, 16_384)) return bad('it is longer than any token (16384 bytes)', 'give the token alone')
    if (/^bearer /i.test(given)) return bad('it begins with "Bearer"', 'give the token alone, without that word')
    if (!/^[\x21-\x7e]+$/.test(given)) {
      return bad('it holds spaces or characters that no token holds', 'give the token alone, on one line')
    }
    return good(given)
  },
}

/** SHA-256 of a certificate: 64 hexadecimal digits, given back in lower case without colons. */
export const fingerprint: Kind<string> = {
  words: 'SHA-256',
  bounds: '64 hexadecimal digits, with or without colons',
  show: (value) => value,
  parse(given) {
    const digits = given
      .replace(/^sha-?256[ =:]*(?:fingerprint[ =:]*)?/i, '')
      .replaceAll(':', '')
      .toLowerCase()
    if (/^[\da-f]{64}$/.test(digits)) return good(digits)
    const wayOut = 'take it from openssl x509 -in http_ca.crt -noout -fingerprint -sha256'
    if (/^[\da-f]{40}$/.test(digits)) return bad('it is a SHA-1 fingerprint (40 digits)', wayOut)
    return bad('it is not 64 hexadecimal digits', wayOut)
  },
}

/** Basic authentication ends the user's name at the first colon (RFC 7617, section 2). */
export const username: Kind<string> = {
  words: 'text',
  bounds: 'at most 1024 bytes, no colon',
  show: (value) => value,
  parse(given) {
    if (!fits(given, 1024)) return bad('it is longer than any user name (1024 bytes)', 'give the name of one user')
    if (!given.includes(':')) return good(given)
    return bad('it has a colon in it', 'give the name alone, and the password in REMORA_PASSWORD')
  },
}

/** Any text, spaces kept. Its text never appears in a message. */
export const password: Kind<string> = {
  words: 'secret',
  bounds: 'at most 1024 bytes',
  show: () => mask,
  parse: (given) => (fits(given, 1024) ? good(given) : bad('it is longer than 1024 bytes', 'give the password alone')),
}

const fits = (given: string, bytesMax: number) => Buffer.byteLength(given) <= bytesMax

const tooLong = (given: string, bytesMax: number) =>
  bad(`${quoted(given)} is ${Buffer.byteLength(given)} bytes long`, `write at most ${bytesMax} bytes`)
