import { expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { openFilesBudget } from '../../src/base/open-files.ts'

const line = (soft: string) => `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max open files            ${soft.padEnd(20)} 1048576              files     
Max locked memory         8388608              8388608              bytes     
`

test.each([
  ['1048576', limits.openFilesMax],
  ['unlimited', limits.openFilesMax],
  ['1024', 1024 - limits.descriptorsReserve],
  ['200', 200 - limits.descriptorsReserve],
  // No room for the whole reserve: half of it.
  ['64', 32],
  ['20', 10],
  ['1', 1],
  ['0', 1],
])('of %s open files, tailing may hold %i', (soft, budget) => {
  expect(openFilesBudget({ read: () => line(soft) })).toBe(budget)
})

test('where nobody says, as many as without a limit', () => {
  expect(openFilesBudget({ read: () => undefined })).toBe(limits.openFilesMax)
  expect(openFilesBudget({ read: () => 'nonsense' })).toBe(limits.openFilesMax)
})
