import fs from 'node:fs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { watchDirectories, type Watch } from '../../src/discover/watch.ts'
import { temporaryTree } from '../kit/agent-tree.ts'

/** A real watch; how many hints came for each directory. */
function watching() {
  const hints = new Map<string, number>()
  const events = new Map<string, number>()
  const failures: { directory: string; error: unknown }[] = []
  const watch: Watch = watchDirectories(
    (directory, isEvent = true) => {
      hints.set(directory, (hints.get(directory) ?? 0) + 1)
      if (isEvent) events.set(directory, (events.get(directory) ?? 0) + 1)
    },
    (directory, error) => failures.push({ directory, error }),
  )
  onTestFinished(() => watch.close())
  const count = (directory: string) => hints.get(directory) ?? 0
  const more = (directory: string, than: number) =>
    vi.waitFor(() => expect(count(directory)).toBeGreaterThan(than), { timeout: 5_000, interval: 5 })
  return {
    watch,
    failures,
    events,
    count,
    /** Waits for the hint that the watch stands. */
    add: async (directory: string) => {
      const before = count(directory)
      watch.add(directory)
      await more(directory, before)
    },
    /** A hint comes after this. */
    hintAfter: async (directory: string, happening: () => void) => {
      const before = count(directory)
      happening()
      await more(directory, before)
    },
    settled: async (directory: string) => {
      let last = -1
      await vi.waitFor(
        () => {
          const now = count(directory)
          const still = now === last
          last = now
          expect(still).toBe(true)
        },
        { timeout: 5_000, interval: 100 },
      )
    },
  }
}

describe('a watch tells of', () => {
  test.each<[string, (tree: ReturnType<typeof temporaryTree>) => void]>([
    ['a new file', (tree) => tree.write('new.log', 'x')],
    ['a write at the end', (tree) => tree.append('app.log', 'a line\n')],
    ['a rename', (tree) => tree.rename('app.log', 'app.log.1')],
    ['a rename into it', (tree) => tree.rename('sub/other.log', 'other.log')],
    ['a truncation', (tree) => fs.truncateSync(tree.at('app.log'), 0)],
    ['a removal', (tree) => tree.remove('app.log')],
    ['a new directory', (tree) => tree.directory('new')],
  ])('%s', async (_what, happening) => {
    const tree = temporaryTree()
    tree.write('app.log', 'a line\n')
    tree.write('sub/other.log', 'a line\n')
    const { add, settled, hintAfter } = watching()
    await add(tree.root)
    await settled(tree.root)
    await expect(hintAfter(tree.root, () => happening(tree))).resolves.toBeUndefined()
  })
})

test('what is taken away is silent, and speaks when it is added again', async () => {
  const tree = temporaryTree()
  tree.write('app.log')
  const { watch, add, settled, count, hintAfter } = watching()
  await add(tree.root)
  await settled(tree.root)
  watch.remove(tree.root)
  const before = count(tree.root)
  tree.append('app.log', 'unheard\n')
  await settled(tree.root)
  expect(count(tree.root)).toBe(before)
  await add(tree.root)
  await settled(tree.root)
  await hintAfter(tree.root, () => tree.append('app.log', 'heard\n'))
})

test('directories do not speak for each other, and adding or removing twice is once', async () => {
  const tree = temporaryTree()
  const [a, b] = [tree.directory('a'), tree.directory('b')]
  const { watch, add, settled, count, hintAfter } = watching()
  await add(a)
  watch.add(a)
  await add(b)
  await settled(a)
  await settled(b)
  const before = count(a)
  await hintAfter(b, () => tree.write('b/x.log', 'x'))
  expect(count(a)).toBe(before)
  watch.remove(b)
  watch.remove(b)
  watch.remove('/never/added')
  await hintAfter(a, () => tree.write('a/x.log', 'x'))
})

test('a directory that goes away throws nothing', async () => {
  const tree = temporaryTree()
  const { add, failures, watch, hintAfter } = watching()
  await add(tree.directory('sub'))
  await hintAfter(tree.at('sub'), () => tree.remove('sub'))
  watch.add(tree.at('never-there'))
  await watch.close()
  expect(failures).toEqual([])
})

test('that a watch stands is a hint, and no event: of a file system that tells nothing nothing else comes', async () => {
  const tree = temporaryTree()
  const logs = tree.directory('logs')
  const { add, events, hintAfter } = watching()
  await add(logs)
  expect(events.get(logs)).toBeUndefined()
  await hintAfter(logs, () => void tree.write('logs/app.log', 'a line\n'))
  expect(events.get(logs)).toBeGreaterThan(0)
})
