import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { causes, states } from '../src/admin/backpressure-words.ts'
import { unwritten } from './alerts.ts'

const source = fileURLToPath(new URL('../src', import.meta.url))

/** What says nothing in the log of `remora run`: other commands, and errors that others put into words. */
const silent = ['bench', 'demo', 'check', 'inspect', 'connect', 'config', 'encode', 'base']

/** Codes that are no literals: what their beginning may go on with. */
const families: Readonly<Record<string, readonly string[]>> = {
  BACKPRESSURE_: states.map((state) => state.toUpperCase()),
  ELASTICSEARCH_: ['UNREACHABLE', 'OVERLOADED', 'HOLDING'],
  READ_: ['EIO', 'EACCES', 'ESTALE'],
  FILE_: [
    'FOUND',
    'RESUMED',
    'ROTATED',
    'DELETED',
    'REPLACED',
    'MISSED',
    'COPY',
    'FINISHED',
    'FREED',
    'DROPPED',
    'GAP',
  ],
}

/** Of the system, as the message about a file or directory has them: `follow/opening.ts`, `discover/obstacles.ts`. */
const systemCodes = ['EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'ELOOP', 'ENOENT', 'EIO']

const literal = /(?:\bcode|'event\.code'): '([A-Z][A-Z0-9_]+)'/g
const begun = /(?:\bcode|'event\.code'): `([A-Z][A-Z0-9_]*_)\$\{/g

/** Every code that a message of `remora run` may have, sorted; and beginnings of codes that nobody knows the end of. */
export function messageCodes(): { readonly codes: readonly string[]; readonly unknown: readonly string[] } {
  const texts = filesOf(source).map((file) => readFileSync(file, 'utf8'))
  const found = (pattern: RegExp) => [
    ...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, code]) => code!))),
  ]
  const beginnings = found(begun)
  const ends = beginnings.flatMap((beginning) => (families[beginning] ?? []).map((end) => `${beginning}${end}`))
  return {
    codes: [...new Set([...found(literal), ...ends, ...systemCodes])].toSorted(),
    unknown: beginnings.filter((beginning) => families[beginning] === undefined),
  }
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const at = path.join(directory, entry.name)
    if (entry.isDirectory()) return directory === source && silent.includes(entry.name) ? [] : filesOf(at)
    return entry.name.endsWith('.ts') ? [at] : []
  })
}

/** Codes in the headings of a page, each in backquotes. */
export function documentedCodes(text: string): string[] {
  const headings = text.split('\n').filter((line) => line.startsWith('### '))
  return headings.flatMap((line) => [...line.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, code]) => code!))
}

/** The same text with a section for each code that has none. */
export function withMissingCodes(operations: string, codes: readonly string[]): string {
  const known = new Set(documentedCodes(operations))
  const missing = codes.filter((code) => !known.has(code))
  return operations + missing.map((code) => `\n### \`${code}\`\n\n${unwritten}\n`).join('')
}

/** Causes of backpressure have a section each, too. */
export const backpressureCauses: readonly string[] = causes.filter((cause) => cause !== 'none')
