import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FreeFiles } from '../../src/follow/free-files.ts'
import type { Generation } from '../../src/follow/generation.ts'
import { mayHold, type SeenFile } from '../../src/follow/seen.ts'

const path = fc
  .tuple(fc.constantFrom('/logs', '/logs/a', '/logs/b'), fc.constantFrom('app.log', 'web.log', 'app.log.1', 'x-1.log'))
  .map(([directory, name]) => `${directory}/${name}`)
const file = fc.record({ path, before: fc.array(path, { maxLength: 3 }), copy: fc.boolean() })
const generation = fc.record({
  path,
  basePath: path,
  lastPath: fc.option(path, { nil: undefined }),
  anchor: fc.option(fc.constant({}), { nil: undefined }),
  packing: fc.option(fc.constant('gz'), { nil: undefined }),
})

test('whatever may hold a content is among those that are gone through, and each copy, in the order of the look', () => {
  fc.assert(
    fc.property(fc.array(file, { maxLength: 12 }), generation, (files, wanted) => {
      const seen = files as unknown as (SeenFile & { copy: boolean })[]
      const known = wanted as unknown as Generation
      const found = new FreeFiles(seen, (each) => (each as (typeof seen)[number]).copy).of(known)
      expect(seen.filter((each) => found.includes(each))).toEqual(found)
      expect(found).toEqual(expect.arrayContaining(seen.filter((each) => each.copy || mayHold(each, known))))
    }),
  )
})
