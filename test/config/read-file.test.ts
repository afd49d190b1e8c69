import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { explainReadError, fileBytesMax, readSettingFile } from '../../src/config/read-file.ts'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'remora-config-'))
  writeFileSync(join(directory, 'plain'), 'süß\n')
  writeFileSync(join(directory, 'marked'), '\ufefftext')
  writeFileSync(join(directory, 'full'), 'x'.repeat(fileBytesMax))
  writeFileSync(join(directory, 'large'), 'x'.repeat(fileBytesMax + 1))
  writeFileSync(join(directory, 'binary'), Buffer.from([0xff, 0xfe, 0x00]))
  mkdirSync(join(directory, 'directory'))
  symlinkSync('plain', join(directory, 'link'))
  execFileSync('mkfifo', [join(directory, 'fifo')])
})
afterAll(() => rmSync(directory, { recursive: true }))

describe('reading', () => {
  test.each([
    ['plain', 'süß\n'],
    ['link', 'süß\n'],
    ['marked', 'text'],
    ['full', 'x'.repeat(fileBytesMax)],
  ])('%s', (name, content) => expect(readSettingFile(join(directory, name)) === content).toBe(true))

  test.each([
    ['missing', 'there is no such file'],
    ['plain/x', 'a part of the path is not a directory'],
    ['directory', 'it is not a regular file'],
    ['fifo', 'it is not a regular file'],
    ['large', 'it is larger than 1048576 bytes'],
    ['binary', 'it is not UTF-8 text'],
  ])('%s: %s', (name, reason) => {
    const path = join(directory, name)
    let thrown: unknown
    try {
      readSettingFile(path)
    } catch (error) {
      thrown = error
    }
    expect(explainReadError(path, thrown)).toEqual({
      message: `file "${path}": ${reason}`,
      wayOut: expect.stringMatching(/./),
    })
  })

  test('an endless device is not read', () => {
    expect(() => readSettingFile('/dev/zero')).toThrow('not a regular file')
  })
})
