import { describe, expect, test } from 'vitest'
import { CredentialFiles } from '../../src/ship/credential-files.ts'
import type { Access } from '../../src/connect/access.ts'

const urls = ['https://es:9200']
const current = { urls, requestTimeoutMs: 1_000, connections: 1 }

/** One file with a password; an empty one is no password. */
function world(first: string | undefined) {
  const state = { text: first, others: '', elsewhere: '' }
  const [adopted, kept]: [string[][], string[]] = [[], []]
  let reads = 0
  const files = new CredentialFiles({
    files: new Map([['REMORA_PASSWORD_FILE', '/secret/password']]),
    readFile: () => {
      if (state.text === undefined) throw new Error('ENOENT')
      return state.text
    },
    readAccess: (): Access | string => {
      reads++
      if (state.elsewhere !== '') return state.elsewhere
      return state.text === undefined || state.text === '' ? `nothing in it${state.others}` : { password: state.text }
    },
    adopted: (variables) => adopted.push([...variables]),
    kept: (why) => kept.push(why),
  })
  return { state, files, adopted, kept, reads: () => reads }
}

const using = (password: string) => ({ ...current, password })

describe('files with credentials', () => {
  test('that say the same are not looked into twice', () => {
    const { files, adopted, reads } = world('one')
    for (let look = 0; look < 10; look++) expect(files.look(using('one'))).toBeUndefined()
    expect([adopted, reads()]).toEqual([[], 1])
  })

  test('that have changed are in the settings, and it is said which', () => {
    const { state, files, adopted } = world('one')
    files.look(using('one'))
    state.text = 'two'
    expect(files.look(using('one'))).toEqual(using('two'))
    expect(files.look(using('two'))).toBeUndefined()
    expect(adopted).toEqual([['REMORA_PASSWORD_FILE']])
  })

  test('that changed between the start and the first look are found', () => {
    const { files } = world('two')
    expect(files.look(using('one'))).toEqual(using('two'))
  })

  test.each([[''], [undefined]])('that are %j: the old ones stay, said once, until they are good', (bad) => {
    const { state, files, adopted, kept } = world('one')
    files.look(using('one'))
    state.text = bad
    for (let look = 0; look < 10; look++) expect(files.look(using('one'))).toBeUndefined()
    expect(kept).toEqual(['nothing in it'])
    state.text = 'one'
    expect(files.look(using('one')), 'as it was').toBeUndefined()
    expect(adopted).toEqual([])
    state.text = bad
    files.look(using('one'))
    expect(kept, 'it went bad again').toHaveLength(2)
    state.text = 'two'
    expect(files.look(using('one'))).toEqual(using('two'))
  })

  test('that could not be used for another reason are used when that has gone', () => {
    const { state, files, adopted, kept } = world('one')
    files.look(using('one'))
    state.text = 'two'
    state.elsewhere = 'REMORA_INDEX: it is not a name'
    for (let look = 0; look < 3; look++) expect(files.look(using('one'))).toBeUndefined()
    state.elsewhere = ''
    expect(files.look(using('one'))).toEqual(using('two'))
    expect([adopted, kept]).toEqual([[['REMORA_PASSWORD_FILE']], ['REMORA_INDEX: it is not a name']])
  })

  test('that go from bad to bad are said once', () => {
    const { state, files, kept } = world('one')
    files.look(using('one'))
    for (let look = 0; look < 10; look++) {
      state.text = look % 2 === 0 ? '' : undefined
      files.look(using('one'))
    }
    expect(kept).toHaveLength(1)
  })
})
