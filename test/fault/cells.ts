import type { Fault, Phase, Strike } from '../kit/fault-proxy.ts'

/** One cell of the matrix: what goes wrong, where, and into what kind of target. */
export interface Cell {
  /** As the table says it. */
  readonly fault: string
  readonly where: string
  readonly target: 'index' | 'data stream'
  readonly strikes: readonly Strike[]
}

/** Requests that each cell's fault hits, before it clears: more than are under way at once. */
const times = 3

const megabytes = Buffer.alloc(8 * 1024 * 1024, '<p>sorry</p>')
const html = Buffer.from('<html><body>Bad Gateway</body></html>')
const none = Buffer.alloc(0)
const asHtml = { 'content-type': 'text/html' }
const asJson = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' }
const refusal = (status: number, type: string) => Buffer.from(JSON.stringify({ error: { type }, status }))

const atAll: readonly Phase[] = [
  'connect',
  'request head',
  'request body',
  'request complete',
  'answer head',
  'answer begun',
  'answer body',
]

type Row = readonly [fault: string, what: Fault, phases: readonly Phase[], more?: Partial<Strike>, where?: string]

/** What a proxy or a server answers instead, by name. */
const answers: readonly (readonly [string, number, Buffer, Record<string, string>])[] = [
  ['200 with HTML', 200, html, asHtml],
  ['200 without a body', 200, none, asJson],
  ['200 with 8 MB of HTML', 200, megabytes, asHtml],
  ['408', 408, none, {}],
  ['429, `Retry-After: 1`', 429, refusal(429, 'es_rejected_execution_exception'), { ...asJson, 'retry-after': '1' }],
  ['500', 500, refusal(500, 'illegal_state_exception'), asJson],
  ['502 with HTML', 502, html, asHtml],
  ['503 with 8 MB of HTML', 503, megabytes, asHtml],
  ['504 with HTML', 504, html, asHtml],
]

/** Those that nobody gives who has passed the request on. */
const refusals: typeof answers = [
  ['204', 204, none, {}],
  ['302 to a login page', 302, html, { ...asHtml, location: 'http://127.0.0.1:9/login' }],
  ['400', 400, refusal(400, 'illegal_argument_exception'), asJson],
  ['401', 401, refusal(401, 'security_exception'), asJson],
  ['403', 403, refusal(403, 'security_exception'), asJson],
  ['404 with HTML', 404, html, asHtml],
  ['413', 413, none, {}],
]

const answerRows = (list: typeof answers, passedOn: boolean): Row[] =>
  list.map(([name, status, content, headers]) => [
    name,
    { kind: 'answer', status, content, headers, passedOn },
    ['request complete'],
    {},
    passedOn ? 'instead of the answer; the server has it' : 'instead of the answer; the server does not have it',
  ])

const early = (name: string, status: number, headers: Record<string, string>): Row => [
  name,
  { kind: 'answer', status, content: none, headers, passedOn: false, unreadMs: 200 },
  ['request body'],
  {},
  'request body, half of it unread',
]

const rows: readonly Row[] = [
  // A connection that comes late is kept, and then no other is needed.
  ['delay of 300 ms', { kind: 'delay', ms: 300 }, ['connect'], { times: 1 }],
  ['delay of 300 ms', { kind: 'delay', ms: 300 }, atAll.slice(1)],
  ['drip', { kind: 'drip', pieces: 50 }, ['request body', 'answer head', 'answer body']],
  ['end (FIN)', { kind: 'close' }, [...atAll, 'idle', 'reused']],
  [
    'end (FIN)',
    { kind: 'close' },
    ['answer body'],
    { at: 'any', times: 5 },
    'answer body, from its first byte to its last',
  ],
  [
    'end (FIN)',
    { kind: 'close' },
    ['request body'],
    { at: 'any', times: 5 },
    'request body, from its first byte to its last',
  ],
  ['reset (RST)', { kind: 'reset' }, [...atAll, 'idle', 'reused']],
  [
    'reset (RST)',
    { kind: 'reset' },
    ['answer body'],
    { at: 'any', times: 5 },
    'answer body, from its first byte to its last',
  ],
  [
    'reset (RST)',
    { kind: 'reset' },
    ['request body'],
    { at: 'any', times: 5 },
    'request body, from its first byte to its last',
  ],
  ['silence until the time-out', { kind: 'stall' }, [...atAll, 'reused']],
  [
    'nobody listens for 800 ms',
    { kind: 'refuse', ms: 800 },
    ['connect', 'request body', 'request complete'],
    { times: 2 },
  ],
  ['an answer to nothing', { kind: 'stray' }, ['idle']],
  ...answerRows(answers, false),
  ...answerRows(answers, true),
  ...answerRows(refusals, false),
  early('413', 413, {}),
  early('413, `Connection: close`', 413, { connection: 'close' }),
  early('429', 429, {}),
  early('503', 503, {}),
  ['length 20 too long, then an end', { kind: 'length', by: 20, after: 'close' }, ['answer head']],
  ['length 20 too long, then silence', { kind: 'length', by: 20, after: 'stall' }, ['answer head']],
  ['length 20 too short', { kind: 'length', by: -20, after: 'keep' }, ['answer head']],
  ['sent to the server twice, the first answer', { kind: 'duplicate', answer: 'first' }, ['request complete']],
  ['sent to the server twice, the second answer', { kind: 'duplicate', answer: 'second' }, ['request complete']],
  ['the answer to another request, an item less', { kind: 'other answer', items: -1 }, ['answer body']],
  ['the answer to another request, an item more', { kind: 'other answer', items: 1 }, ['answer body']],
]

/** What goes wrong with the question whether documents are there, which follows a request without an answer. */
const questions: readonly (readonly [string, Fault, Phase])[] = [
  ['reset (RST)', { kind: 'reset' }, 'answer body'],
  ['silence until the time-out', { kind: 'stall' }, 'request complete'],
  [
    '200 with HTML',
    { kind: 'answer', status: 200, content: html, headers: asHtml, passedOn: false },
    'request complete',
  ],
  [
    '200 without a body',
    { kind: 'answer', status: 200, content: none, headers: asJson, passedOn: false },
    'request complete',
  ],
  [
    '502 with HTML',
    { kind: 'answer', status: 502, content: html, headers: asHtml, passedOn: false },
    'request complete',
  ],
  [
    '429',
    {
      kind: 'answer',
      status: 429,
      content: refusal(429, 'es_rejected_execution_exception'),
      headers: asJson,
      passedOn: false,
    },
    'request complete',
  ],
]

function allCells(): Cell[] {
  const found: Omit<Cell, 'target'>[] = rows.flatMap(([fault, what, phases, more, where]) =>
    phases.map((phase) => ({ fault, where: where ?? phase, strikes: [{ fault: what, phase, times, ...more }] })),
  )
  for (const [fault, what, phase] of questions) {
    found.push({
      fault: `reset (RST); of the questions that follow: ${fault}`,
      where: phase,
      strikes: [
        { fault: { kind: 'reset' }, phase: 'request complete', times },
        { fault: what, phase, times, of: 'question', after: 1 },
      ],
    })
  }
  return found.map((cell, n) => ({ ...cell, target: n % 2 === 0 ? 'data stream' : 'index' }))
}

export const cells = allCells()
