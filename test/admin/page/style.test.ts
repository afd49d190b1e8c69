import { describe, expect, test } from 'vitest'
import { pageStyle } from '../../../src/admin/page/style.ts'

/** Of each scheme, by name: the first block of the style is the light one. */
const schemes = [...pageStyle.matchAll(/:root \{([^}]*)\}/g)].map(
  ([, block = '']) => new Map([...block.matchAll(/--(\w+): (#\w+);/g)].map(([, name, colour]) => [name!, colour!])),
)

/** Relative luminance. Source: WCAG 2.2, "relative luminance". */
function lightOf(colour: string): number {
  const digits = colour.length === 4 ? colour.match(/\w/g)!.map((each) => each + each) : colour.slice(1).match(/../g)!
  const [r, g, b] = digits
    .map((each) => Number.parseInt(each, 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

function contrastOf(one: string, other: string): number {
  const [low = 0, high = 0] = [lightOf(one), lightOf(other)].toSorted((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

describe.each([
  ['light', 0],
  ['dark', 1],
] as const)('%s', (_, at) => {
  const colours = schemes[at]!
  const of = (name: string) => colours.get(name) ?? `no colour ${name}`

  // Source: WCAG 2.2, 1.4.3. What the charts write is in no element that a browser could be asked about.
  test.each(['text', 'faint', 'bad', 'well', 'busy', 'c0'])('text in %s can be read on what is behind it', (name) => {
    for (const behind of ['back', 'panel']) expect(contrastOf(of(name), of(behind))).toBeGreaterThanOrEqual(4.5)
  })

  // Source: WCAG 2.2, 1.4.11.
  test.each(['c0', 'c1', 'c2', 'c3', 'c4'])('a line in %s can be seen on its panel', (name) => {
    expect(contrastOf(of(name), of('panel'))).toBeGreaterThanOrEqual(3)
  })
})

test('both schemes name the same colours', () => {
  expect(schemes).toHaveLength(2)
  expect([...schemes[0]!.keys()].toSorted()).toEqual([...schemes[1]!.keys()].toSorted())
})
