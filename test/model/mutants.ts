import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { messageOf } from '../../src/base/errors.ts'
import { mutants, type Mutant } from './protections.ts'

/**
 * Takes each protection out in turn, and runs seeds until one breaks: what survives, the model does not see.
 * `npm run test:mutants`; `--only TEXT` for those whose name holds it, `--seeds N` for how many are tried at most.
 */
const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, seeds: { type: 'string', default: '20000' } },
})
const root = fileURLToPath(new URL('../..', import.meta.url))

/** A copy of the sources with one protection less. @throws when its text is not there exactly once */
function copyWith(mutant: Mutant): string {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-mutant-'))
  for (const part of ['src', 'test/model', 'test/kit', 'package.json']) {
    fs.cpSync(path.join(root, part), path.join(copy, part), { recursive: true })
  }
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
  for (const { text, instead } of mutant.edits) {
    const files = fs.globSync('src/**/*.ts', { cwd: copy }).map((name) => path.join(copy, name))
    const found = files.filter((file) => fs.readFileSync(file, 'utf8').includes(text))
    const source = found.length === 1 ? fs.readFileSync(found[0]!, 'utf8') : ''
    if (source.split(text).length !== 2) {
      fs.rmSync(copy, { recursive: true })
      throw new Error(`it stands in ${found.length} files, or more than once: ${text}`)
    }
    fs.writeFileSync(
      found[0]!,
      source.replace(text, () => instead),
    )
  }
  return copy
}

interface Outcome {
  readonly name: string
  readonly seeds: number | undefined
  readonly what: string
}

function tryOut(mutant: Mutant): Outcome {
  let copy: string
  try {
    copy = copyWith(mutant)
  } catch (error) {
    return { name: mutant.name, seeds: undefined, what: messageOf(error) }
  }
  try {
    for (let from = 1; from <= Number(values.seeds);) {
      const { seed, what, error } = runIn(copy, from, Number(values.seeds))
      if (seed === undefined) return { name: mutant.name, seeds: undefined, what: error }
      // What breaks with all protections in place is another matter.
      if (runIn(root, seed, 1).seed === undefined) return { name: mutant.name, seeds: seed, what: inShort(what) }
      from = seed + 1
    }
    return { name: mutant.name, seeds: undefined, what: '' }
  } finally {
    fs.rmSync(copy, { recursive: true })
  }
}

function runIn(tree: string, from: number, count: number): { seed: number | undefined; what: string; error: string } {
  const run = path.join(tree, 'test/model/run.ts')
  const args = [run, '--from', String(from), '--count', String(count), '--raw']
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 30 * 60_000 })
  const [, seed, what = ''] = /^seed (\d+): (.*)$/m.exec(stdout) ?? []
  return { seed: seed === undefined ? undefined : Number(seed), what, error: stderr.slice(0, 400) }
}

function inShort(what: string): string {
  return what
    .replaceAll(/\[\[.*|(?<=: )\{.*/g, '…')
    .replaceAll('|', '\\|')
    .slice(0, 100)
}

let survivors = 0
console.log('| without | seeds needed | what broke |\n|---|---|---|')
for (const mutant of mutants.filter(({ name }) => name.includes(values.only))) {
  const { name, seeds, what } = tryOut(mutant)
  if (seeds === undefined) survivors++
  console.log(`| ${name} | ${seeds ?? `none in ${values.seeds}`} | ${what} |`)
}
process.exitCode = survivors === 0 ? 0 : 1
