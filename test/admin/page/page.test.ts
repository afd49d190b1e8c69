import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeHtml, pageOf } from '../../../src/admin/page/page.ts'
import { browserFunctions } from '../../../src/admin/page/script.ts'
import { limits } from '../../../src/base/limits.ts'
import { runs } from '../../base/runs.ts'
import type { Figures } from '../../../src/admin/figures.ts'
import { figures } from '../figures.ts'
import { well } from './well.ts'
import { exampleStatus, fileRow, type Given } from './status.ts'

/** Without its scripts and its style. */
const page = (given: Given = {}) => pageOf(exampleStatus(given)).text.replaceAll(/<(script|style)>[^]*?<\/\1>/g, '')

/** What a person reads, without the tags, the scripts and the style. */
const wordsOf = (html: string) => html.replaceAll(/<[^>]*>/g, '|').replaceAll(/\|+/g, '|')

const words = (given: Given = {}) => wordsOf(page(given))

/** What is read out. */
const said = (given: Partial<Figures>) =>
  /<p id="said"[^>]*>([^<]*)/.exec(page({ figures: { ...well, ...given } }))?.[1]

/** The tags of a page, without what stands between them; not those in its scripts. */
const tagsOf = (html: string) =>
  [...html.replaceAll(/<script>[^]*?<\/script>/g, '').matchAll(/<[^>]*>/g)].map(([tag]) => tag)

describe('what it tells', () => {
  test('where it is, what Remora does, and what Elasticsearch says', () => {
    const text = words()
    expect(text).toContain('|Pod|shop/orders-0|Target|logs-generic-default|Version|1.2.3, up for 90 min|')
    expect(text).toContain('Remora is following and shipping.')
    expect(text).toContain(
      '|Elasticsearch refuses the target|: the server answers 403. Mend what it refuses: |remora check| tells. Meanwhile lines wait',
    )
    expect(words({ figures: { phase: 'draining' } })).toContain('Remora is stopping: shipping the rest.')
    expect(page()).toContain('<title>✕ Needs attention: Remora in orders-0</title>')
  })

  test('state, for how long, why, the way out, and how bad it is', () => {
    const text = words()
    expect(text).toContain('|✕| Needs attention|')
    expect(text).toContain('|Remora waits for the answers of Elasticsearch, or for the network|. See remora_bulk_')
    expect(text).toContain('| See |RemoraServerSlow| in docs/operations.md.|')
    expect(text).toContain('|Full| for 2 min: every batch slot is taken, and reading waits for one.')
    expect(text).toContain('|Unread|111 B|Lag|2 min at most|Oldest batch under way|2 min|')
    expect(text).toContain('145 cores, used up in 99 % of its periods since the start')
  })

  test.each([
    [{}, 'well', '✓', '1a6b3a'],
    [{ letters: 1 }, 'busy', '▲', 'c77700'],
    [{ unreadableDirectories: 1 }, 'bad', '✕', 'b3261e'],
  ])('how it goes has a colour, a mark and words, and the tab too: %o', (given, tone, mark, colour) => {
    const html = page({ figures: { ...well, ...given } })
    expect(html).toContain(`<p class="state ${tone}"><strong><span class="mark" aria-hidden="true">${mark}</span> `)
    expect(html).toContain(`<title>${mark} `)
    expect(html).toContain(`fill%3D%22%23${colour}`)
  })

  test('nothing but that it flows, when nothing is wrong', () => {
    expect(words({ figures: well })).toMatch(
      /\|✓\| Healthy\|Flowing\| for 10 s: what is written is shipped at once\. Remora is [^]*\|Lag\|none\|Oldest batch under way\|none\|/,
    )
  })

  test('what is read out has no figure that changes with each look', () => {
    expect(said({})).toBe('Remora: Healthy. Elasticsearch takes documents.')
    const away = { health: 'unreachable', unreadableDirectories: 2 }
    expect(said(away)).toBe(
      'Remora: Needs attention. Elasticsearch cannot be reached. Log directories cannot be listed, or not wholly. Elasticsearch does not answer.',
    )
    expect(said({ ...away, unreadableDirectories: 3, unreadBytes: 5, healthDetail: 'ECONNRESET' })).toBe(said(away))
  })

  test('who may not read what, and what to add: at the top, with the file', () => {
    expect(words({ figures: { ...well, denied: figures.denied } })).toContain(
      '|Remora may not read what the application writes|: /logs/secret.log: it may not be read by uid 161, and 159 more with the same owner and mode. Add a group.',
    )
  })

  test('the whole ledger, and whether it balances', () => {
    const text = words()
    for (const [name, value] of [
      ['Acknowledged', 103],
      ['Filtered', 126],
      ['Dead-lettered', 105],
      ['Lost', 106],
      ['Held', 107],
    ])
      expect(text).toContain(`|${name}|${value}|`)
    expect(text).toContain('|Read|101|not the sum of the above: this is a fault|')
    expect(words({ figures: { readLines: 103 + 126 + 105 + 106 + 107 } })).toContain('|Read|547|the sum of the above|')
    expect(text).toContain('|There already|104 lines|Perhaps stored twice|125 lines|In the failure store|130 lines|')
    expect(text).toContain('|NUL bytes of holes, passed over|127 B|')
    expect(text).toContain('|Gone before they were read|110 files, 109 B|')
    expect(text).toContain('|Deleted unshipped for the volume|133 files, 134 B|')
  })

  test('requests, memory, arena, checkpoint, dead letters, volume', () => {
    const text = words()
    expect(text).toContain('|ok|201|–|12 ms|25 ms|all documents were taken|')
    expect(text).toContain('117 under way; the server takes 128 at once, of 129 B at most')
    expect(text).toContain('|In use|118 B of 119 B |')
    expect(text).toContain('121 B of 120 B: 116 of 115 slots taken')
    expect(text).toContain('|18 now, 134 in all|')
    expect(text).toContain('|Garbage collected for want of memory|136 times|')
    expect(text).toContain('|Last checkpoint|2 min ago, 122 failed in all|')
    expect(text).toContain(
      '|Dead letters waiting for a replay|128, 129 B of 159 B, 132 brought to an index, 1,131 had to go for want of room|',
    )
    expect(text).toContain(
      '137 B of 138 B, as far as it can be measured, and 139 B in deleted files that are held open, 135 shipped files deleted',
    )
    expect(words({ figures: { volumeLimitBytes: 0 } })).not.toContain('Log volume')
    expect(words({ figures: { memoryLimitBytes: Infinity } })).toContain('|In use|118 B of no limit |')
  })

  test('warnings, the newest as they come', () => {
    const lastMs = Date.UTC(2026, 10, 26, 4, 29, 58)
    const warning = {
      level: 'warn',
      code: 'READ_EIO',
      path: '/a.log',
      text: '/a.log: it cannot be read',
      count: 7,
      lastMs,
    } as const
    expect(words()).toContain('None since the start.|150 messages were left out of the log: too many with one code')
    expect(words({ figures: { unsaidMessages: 0 } })).not.toContain('left out of the log')
    expect(words({ warnings: [warning] })).toContain(
      '|11-26 04:29:58Z| |warn| |READ_EIO|, 7 times|/a.log: it cannot be read|',
    )
  })
})

describe('files', () => {
  test('one has a row: what is left of it, how far it is, and what went wrong', () => {
    const text = words({ rows: [fileRow('/var/log/app/a.log'), { ...fileRow(undefined, 100), lives: 3 }] })
    expect(text).toContain(
      '|/var/log/app/a.log|✕ 8 lines lost, 7 dead-lettered, 11 B gone unread, 18 B dropped|13 B|14 s|15|16|17|1|3|9|',
    )
    expect(text).toContain(
      '|files without a row of their own| and 2 older lives|✕ 108 lines lost, 107 dead-lettered, 111 B gone unread, 118 B dropped|113 B|114 s|–|–|–|101|',
    )
  })

  test('one that cannot be read says so in its row, and all of them by their reason above', () => {
    const text = words({ rows: [{ ...fileRow('/a.log'), unreadable: 'EACCES', deadLetteredLines: 0 }] })
    expect(text).toContain('|✕ cannot be read (EACCES), 8 lines lost, 11 B gone unread, 18 B dropped|')
    expect(text).toContain('|Followed|112 files|Held open|113 of 154 at most|')
    expect(text).toContain('|Cannot be read|155 (EACCES), 156 (READ_FAILED)|')
    expect(text).toContain('|Directories|114; 157 not listed or not wholly; 158 looked at on a timer only|')
    expect(words({ figures: well })).toContain('|Cannot be read|none|')
  })

  test('how many there are more, and what was looked for', () => {
    const rows = [fileRow('/a.log')]
    expect(words({ rows, files: { matching: 7, known: 9 } })).toContain('1 of 7 files, the worst first.')
    const found = words({ rows, files: { find: 'a"<', matching: 1, known: 9 } })
    expect(found).toContain('1 file whose name has “a&quot;&lt;”, of 9 in all, the worst first.')
    expect(page({ rows, files: { find: 'a"<' } })).toContain('value="a&quot;&lt;"')
    expect(words({ files: { find: 'zz', known: 9 } })).toContain('No file whose name has “zz”, of 9 in all.')
    expect(words()).toContain('No file is known yet.')
  })

  test('a path of any length takes a bounded place: beginning and end are shown', () => {
    const text = words({ rows: [fileRow(`/begin/${'x'.repeat(4_000)}/end.log`)] })
    const shown = /\|(\/begin[^|]*)\|/.exec(text)?.[1] ?? ''
    expect(shown.length).toBeLessThanOrEqual(limits.statusPathMax)
    expect(shown).toMatch(/^\/begin\/x+…x+\/end\.log$/)
  })

  test('a character of two halves is not cut into one', () => {
    const text = words({ rows: [fileRow(`/${'😀'.repeat(1_000)}`)] })
    expect(text.isWellFormed()).toBe(true)
  })
})

const tagsWith = (text: string) => {
  const warning = { level: 'error', code: 'X', path: text, text, count: 1, lastMs: 0 } as const
  const place = { target: 't', pod: 'p', namespace: 'n', node: 'n', service: `x${text}` }
  return tagsOf(
    page({
      rows: [fileRow(`/${text}`)],
      figures: { healthDetail: `x${text}` },
      warnings: [{ ...warning, text: `x${text}` }],
      place,
    }),
  )
}

test('what is told as JSON is all of it: nothing in it that JSON has no word for', () => {
  const status = exampleStatus({ rows: [fileRow('/a.log')] })
  expect(JSON.parse(JSON.stringify(status))).toEqual(status)
})

describe('what a stranger has named stays text', () => {
  test('whatever a path or an answer says, the tags are the same', () => {
    const plain = tagsWith('')
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '/', 'b', 'script', '!--', '\0', '\n', '‮') }),
        (text) => {
          expect(tagsWith(text)).toEqual(plain)
        },
      ),
      runs(100),
    )
  })

  test('what is looked for, too', () => {
    const [plain, hostile] = ['x', '"><script>alert(1)</script>'].map((find) => tagsOf(page({ files: { find } })))
    expect(hostile!.length).toBe(plain!.length)
  })

  test.each([
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    [`"' &amp;`, '&quot;&#39; &amp;amp;'],
    ['a\nb\0\u001b[31m', 'a\\u{a}b\\u{0}\\u{1b}[31m'],
    ['gpj.\u202elog', 'gpj.\\u{202e}log'],
    ['log\u2028\u200b\ufeff\u2066', 'log\\u{2028}\\u{200b}\\u{feff}\\u{2066}'],
    ['\u3164\u115f\ufe0f', '\\u{3164}\\u{115f}\\u{fe0f}'],
    ['\ud800', '\\u{d800}'],
    ['/var/log/müller 東京 שלום.log', '/var/log/müller 東京 שלום.log'],
  ])('%j', (text, escaped) => expect(escapeHtml(text)).toBe(escaped))
})

const hash = (part: string) => `'sha256-${createHash('sha256').update(part).digest('base64')}'`

describe('what it may do', () => {
  const { text, policy } = pageOf(exampleStatus({ rows: [fileRow('/a.log')] }))
  const rules = new Map(
    policy.split('; ').map((rule) => [rule.slice(0, rule.indexOf(' ')), rule.slice(rule.indexOf(' ') + 1)]),
  )
  const scripts = [...text.matchAll(/<script>([^]*?)<\/script>/g)].map(([, script]) => script!)

  test('it runs its own two scripts and nothing else, asks only whence it came, and stands in no frame', () => {
    expect(scripts).toHaveLength(2)
    expect(rules.get('script-src')).toBe(scripts.map(hash).join(' '))
    expect(rules.get('style-src')).toBe(hash(/<style>([^]*?)<\/style>/.exec(text)![1]!))
    expect(Object.fromEntries(rules)).toMatchObject({
      'default-src': "'none'",
      'connect-src': "'self'",
      'form-action': "'self'",
      'base-uri': "'none'",
      'frame-ancestors': "'none'",
      'trusted-types': "'none'",
    })
    expect(policy).not.toContain('unsafe')
  })

  test('nothing in it is from elsewhere', () => {
    const outside = text.replaceAll(/<(script|style)>[^]*?<\/\1>/g, '')
    expect(outside).not.toMatch(/\son\w+=|\sstyle=|\ssrc=|<img|<iframe|\shref="(?!data:image\/svg)/i)
  })

  test('without scripts it loads itself again', () => {
    expect(text).toContain('<noscript><meta http-equiv="refresh" content="5"></noscript>')
  })
})

describe('the functions of the page', () => {
  const names = browserFunctions.map((each) => each.name)

  test('no two have one name: in the page they are side by side', () => {
    expect(names.toSorted()).toEqual([...new Set(names)].toSorted())
  })

  test('headings, heads of columns and rows, and names for what scrolls', () => {
    const html = page({ rows: [fileRow('/a.log')] })
    expect(html.match(/<h1>/g)).toHaveLength(1)
    expect([...html.matchAll(/<h2 [^>]*>([^<]*)/g)].map(([, title]) => title)).toEqual([
      'How it goes',
      'Since this page was opened',
      'Files',
      'Ledger',
      'Requests',
      'Memory',
      'State and volume',
      'Warnings',
    ])
    expect(html).toContain(
      '<table><caption>Files with what is left of them</caption><thead><tr><th scope="col">File</th>',
    )
    expect(html).toContain('<tr><th scope="row"><span><bdi class="path" dir="ltr">/a.log</bdi>')
    expect(html).toContain(
      '<div class="scroll" role="region" aria-label="Files with what is left of them" tabindex="0">',
    )
    expect(html).toContain('<label for="find">')
  })
})
