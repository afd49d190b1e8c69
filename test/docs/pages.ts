/** The documents that people read, and the fenced blocks in them. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Page {
  /** Below the root of the repository. */
  readonly name: string
  readonly text: string
}

export interface Block {
  readonly page: string
  /** Of its first line of text, from 1. */
  readonly line: number
  readonly language: string
  readonly text: string
}

export function page(name: string): Page {
  return { name, text: readFileSync(`${root}${name}`, 'utf8') }
}

/** README, ARCHITECTURE, and all of `docs`. */
export function pages(): readonly Page[] {
  const docs = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'))
  return ['README.md', 'ARCHITECTURE.md', ...docs.map((name) => `docs/${name}`)].map(page)
}

/** Every text file below `manifests`. */
export function manifestTexts(): readonly Page[] {
  return readdirSync(`${root}manifests`, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:yaml|md|json)$/.test(name))
    .map((name) => page(`manifests/${name}`))
}

export function blocksIn({ name, text }: Page): readonly Block[] {
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(({ 1: language = '', 2: inside = '', index }) => ({
    page: name,
    line: text.slice(0, index).split('\n').length + 1,
    language,
    text: inside,
  }))
}
