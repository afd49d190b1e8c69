import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeHtml, pagePolicy, statusPage } from '../../src/admin/page.ts'
import type { Figures } from '../../src/admin/figures.ts'
import { limits } from '../../src/base/limits.ts'
import { runs } from '../base/runs.ts'
import { figures, fileFigures } from './figures.ts'

const page = (given: Partial<Figures> = {}) => statusPage('1.2.3', { ...figures, ...given })

/** The tags of a page, without what stands between them. */
const tagsOf = (html: string) => [...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag)

const tagsWith = (path: string, healthDetail: string) => tagsOf(page({ byFile: [fileFigures(path)], healthDetail }))

test('it shows state, totals, and what Elasticsearch says', () => {
  const html = page()
  expect(html).toContain('following and shipping')
  expect(html).toContain('refuses the target: someone has to mend it</span> (the server answers 403)')
  for (const total of [101, 103, 104, 105, 106, 107, 109, 111, 126]) expect(html).toContain(`>${total}<`)
  expect(page({ phase: 'draining' })).toContain('stopping: shipping the rest')
  expect(page({ health: 'ok', healthDetail: '' })).toContain('<span>takes documents</span>.')
})

const pageOf = (given: Partial<Figures['backpressure']>) =>
  page({ backpressure: { ...figures.backpressure, throttle: undefined, ...given } })

describe('backpressure', () => {
  test('state, for how long, why, the way out, and how bad it is', () => {
    const html = page()
    expect(html).toContain('<b class="bad">full</b> for 2 min: every batch slot is taken')
    expect(html).toContain('It is because Remora waits for the answers of Elasticsearch')
    expect(html).toContain('remora_bulk_request_seconds')
    expect(html).toContain('111 bytes unread; the oldest for 2 min at the most; the oldest batch under way for 2 min')
    expect(html).toContain('CPU limit of 145 cores, used up in 99 % of its periods since the start')
  })

  test('when all is well, in few words', () => {
    const html = pageOf({ state: 'flowing', cause: 'none', forSeconds: 59.6, lagSeconds: 0, heldSeconds: 0.5 })
    expect(html).toContain('<b>flowing</b> for 60 s: what is written is shipped at once.</p>\n<p>111 bytes unread.</p>')
  })

  test('a backlog that is worked off is no alarm', () => {
    expect(pageOf({ state: 'filling', cause: 'one_core' })).toContain('<b>filling</b>')
    expect(pageOf({ state: 'filling', cause: 'stalled' })).toContain('<b class="bad">filling</b>')
  })
})

test('a file has a row, and what lags or went wrong stands first', () => {
  const [quiet, lagging] = [fileFigures('/quiet.log'), { ...fileFigures('/lagging.log'), unreadBytes: 1_234_567 }]
  const html = page({ byFile: [quiet, lagging, fileFigures(undefined)] })
  expect(html).toContain('1,234,567')
  expect(html.indexOf('/lagging.log')).toBeLessThan(html.indexOf('/quiet.log'))
  expect(html).toContain('further files')
})

test('dead letters are shown where there are any', () => {
  expect(page()).toMatch(/>128<.* dead letters wait to be replayed \(129 bytes\); .*>130<.* had to go/)
  expect(page({ letters: 0, expiredLetters: 0 })).not.toContain('dead letters')
})

test('no more rows than a bound', () => {
  const byFile = Array.from({ length: limits.statusFilesMax + 5 }, (_, file) => fileFigures(`/${file}.log`))
  const html = page({ byFile })
  expect(html.match(/\.log</g)).toHaveLength(limits.statusFilesMax)
  expect(html).toContain('and 5 more files')
})

describe('what a stranger has named stays text', () => {
  test('whatever a path or an answer says, the tags are the same', () => {
    const plain = tagsWith('/a.log', 'x')
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '/', 'b', 'script', '\0', '\n', '‮') }),
        fc.string(),
        (path, detail) => {
          expect(tagsWith(`/${path}`, `x${detail}`)).toEqual(plain)
        },
      ),
      runs(300),
    )
  })

  test.each([
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    [`"' &amp;`, '&quot;&#39; &amp;amp;'],
    ['a\nb\0\u001b[31m', 'a\\u{a}b\\u{0}\\u{1b}[31m'],
    ['gpj.\u202elog', 'gpj.\\u{202e}log'],
    ['log\u2028\u200b\ufeff', 'log\\u{2028}\\u{200b}\\u{feff}'],
    ['/var/log/müller 東京.log', '/var/log/müller 東京.log'],
  ])('%j', (text, escaped) => expect(escapeHtml(text)).toBe(escaped))
})

test('it runs nothing, loads nothing and sends nothing', () => {
  const html = page({ byFile: [fileFigures('/a.log')] })
  expect(html).not.toMatch(/<script|<form|<img|<link|\shref=|\ssrc=|\son\w+=/i)
  expect(html).toContain('http-equiv="refresh"')
  expect(pagePolicy).toContain("default-src 'none'")
  expect(pagePolicy).not.toContain('script-src')
  expect(pagePolicy).toContain("frame-ancestors 'none'")
})
