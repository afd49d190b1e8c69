import { beforeEach, describe, expect, test } from 'vitest'
import type { Notice } from '../../src/admin/logger.ts'
import { Unreadable } from '../../src/agent/unreadable.ts'
import { limits } from '../../src/base/limits.ts'

let said: (Notice & { level: string })[]
let unreadable: Unreadable
beforeEach(() => {
  said = []
  unreadable = new Unreadable((level, notice) => said.push({ level, ...notice }))
})

const denied = (path: string, message = 'owner 0:0, mode 0600') => ({
  code: 'EACCES',
  path,
  message,
  wayOut: 'Share a group.',
})

test('a thousand files with one reason are one message, and a thousand in the count', () => {
  for (let look = 0; look < 3; look++) {
    for (let file = 0; file < 1_000; file++) expect(unreadable.take(denied(`/logs/${file}.log`))).toBe(true)
    unreadable.looked()
  }
  expect(said).toEqual([
    {
      level: 'warn',
      ...denied('/logs/0.log'),
      wayOut: expect.stringMatching(/^Share a group\. It is tried again.*remora_unreadable_files/),
    },
  ])
  expect(unreadable.files).toBe(1_000)
  expect(unreadable.detail).toEqual({
    files: 1_000,
    path: '/logs/0.log',
    why: 'owner 0:0, mode 0600',
    wayOut: 'Share a group.',
  })
})

test('another reason is another message; what is refused for something else is for others to say', () => {
  unreadable.take(denied('/a.log'))
  unreadable.take(denied('/b.log', 'owner 1:1, mode 0600'))
  // The same file, after a chown.
  unreadable.take(denied('/a.log', 'owner 2:2, mode 0600'))
  expect(said.map(({ message }) => message)).toEqual([
    'owner 0:0, mode 0600',
    'owner 1:1, mode 0600',
    'owner 2:2, mode 0600',
  ])
  expect(unreadable.files).toBe(2)
  for (const code of ['EMFILE', 'EIO', 'OUTSIDE_ROOT'])
    expect(unreadable.take({ ...denied('/c.log'), code })).toBe(false)
  expect(unreadable.take({ ...denied('/d.log'), code: 'EPERM' })).toBe(true)
  expect(unreadable.files).toBe(3)
})

describe('when it is over', () => {
  const over = { level: 'info', code: 'READABLE', message: expect.any(String) }

  test('because each of them was opened: said once, and all is said again if it comes back', () => {
    unreadable.take(denied('/a.log'))
    unreadable.take(denied('/b.log'))
    unreadable.opened('/a.log')
    unreadable.opened('/other.log')
    unreadable.opened(undefined)
    expect(said).toHaveLength(1)
    unreadable.opened('/b.log')
    expect(said.slice(1)).toEqual([over])
    expect(unreadable.detail).toBeUndefined()
    unreadable.take(denied('/a.log'))
    expect(said).toHaveLength(3)
  })

  test('because they are gone, which two looks at everything tell', () => {
    unreadable.looked()
    unreadable.take(denied('/a.log'))
    unreadable.looked()
    expect(unreadable.files).toBe(1)
    unreadable.looked()
    expect(unreadable.files).toBe(0)
    expect(said.slice(1)).toEqual([over])
  })

  test('nothing is said of it when nothing was wrong', () => {
    unreadable.looked()
    unreadable.looked()
    expect(said).toEqual([])
  })
})

test('by their reasons, the commonest first, a few of them', () => {
  expect(unreadable.denied).toEqual([])
  unreadable.take(denied('/x.log', 'owner 9:9, mode 0600'))
  for (const file of ['a', 'b', 'c']) unreadable.take(denied(`/${file}.log`))
  const wayOut = 'Share a group.'
  expect(unreadable.denied).toEqual([
    { files: 3, path: '/a.log', why: 'owner 0:0, mode 0600', wayOut },
    { files: 1, path: '/x.log', why: 'owner 9:9, mode 0600', wayOut },
  ])
  for (let owner = 1; owner < 9; owner++) unreadable.take(denied(`/${owner}.log`, `owner ${owner}:0, mode 0600`))
  expect(unreadable.denied).toHaveLength(limits.deniedReasonsMax)
  expect(unreadable.denied[0]?.files).toBe(3)
})

test('neither files nor reasons are remembered without end', () => {
  for (let file = 0; file < limits.unopenedFilesMax + 100; file++)
    unreadable.take(denied(`/${file}.log`, `owner ${file}:0, mode 0600`))
  expect(unreadable.files).toBe(limits.unopenedFilesMax)
  expect(said).toHaveLength(limits.reasonsMax)
})
