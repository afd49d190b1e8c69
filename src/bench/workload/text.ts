/** What the lines of each mix say, around their heads. Pure: a seed in, lines out. */
import { type Random, randomFrom } from '../../demo/lines.ts'
import type { Mix } from '../types.ts'

/** A line is `before`, its head, `after`, and a newline. */
export interface LineText {
  readonly before: Buffer
  readonly after: Buffer
}

type Kind = Exclude<Mix['kind'], 'sample' | 'mixed'>

const levels = ['INFO ', 'INFO ', 'INFO ', 'DEBUG', 'WARN ', 'ERROR']
const words =
  'order payment cart customer warehouse shipment invoice accepted pending rejected retry timeout connection pool cache miss hit session token refreshed expired queue consumer lag partition offset committed snapshot restored index rebuilt latency budget exceeded circuit open half closed fallback served'.split(
    ' ',
  )
const scripts = [
  'Größenänderung für Überweisung bestätigt',
  'Заказ принят и передан на склад',
  '注文が届きました、倉庫で確認中です',
  '주문이 접수되었습니다',
  'Η παραγγελία επιβεβαιώθηκε',
  'تم استلام الطلب',
  'ऑर्डर स्वीकार किया गया',
  '😀 👩‍👩‍👧 🚀 café naïve',
  'zażółć gęślą jaźń',
]
const packages = [
  'com.example.shop.orders',
  'com.example.shop.payments',
  'org.springframework.web.servlet',
  'java.base',
]
const classes = ['OrderService', 'PaymentGateway', 'DispatcherServlet', 'ThreadPoolExecutor', 'CartController']
const methods = ['accept', 'capture', 'doDispatch', 'runWorker', 'lambda$find$3', 'invoke']

/** Of `mixed`, shares of a hundred events. */
const shares: readonly (readonly [share: number, kind: Kind])[] = [
  [58, 'short'],
  [22, 'json'],
  [8, 'stack'],
  [9, 'multibyte'],
  [3, 'long'],
]

class Writing {
  readonly random: Random

  constructor(seed: number) {
    this.random = randomFrom(seed)
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]!
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit)
  }

  hex(digits: number): string {
    let text = ''
    while (text.length < digits) text += Math.floor(this.random() * 2 ** 32).toString(16)
    return text.slice(0, digits)
  }

  words(count: number): string {
    return Array.from({ length: count }, () => this.pick(words)).join(' ')
  }
}

const plain = (after: string): LineText => ({ before: Buffer.alloc(0), after: Buffer.from(after) })

/** One event of a kind; a stack trace is several lines. */
const events: Readonly<Record<Kind, (w: Writing) => LineText[]>> = {
  short: (w) => {
    // A quote or a backslash in one of eight lines, as in an access log.
    if (w.below(8) === 0) return [plain(` INFO  "GET /api/${w.pick(words)}/${w.below(1e5)}" 200 ${w.below(900)}`)]
    if (w.below(64) === 0) return [plain(` WARN  C:\\data\\${w.pick(words)}\\${w.hex(6)} not found`)]
    return [plain(` ${w.pick(levels)} ${w.words(2)} ${w.hex(6)} ${w.below(2000)}ms`)]
  },
  long: (w) => {
    const bytes = 1_200 + w.below(1_700)
    let text = ` ${w.pick(levels)} [exec-${w.below(64)}]`
    while (text.length < bytes) text += ` ${w.pick(words)}="${w.words(3)}" ${w.pick(words)}=${w.hex(12)}`
    return [plain(text)]
  },
  json: (w) => {
    const rest = {
      level: w.pick(levels).trim().toLowerCase(),
      logger: `${w.pick(packages)}.${w.pick(classes)}`,
      message: `${w.words(4)} "${w.pick(words)}"`,
      trace: { id: w.hex(32), sampled: w.below(2) === 0 },
      user: w.below(1e6),
      durationMs: w.below(1e5) / 10,
    }
    return [{ before: Buffer.from('{"at":"'), after: Buffer.from(`",${JSON.stringify(rest).slice(1)}`) }]
  },
  stack: (w) => {
    const first = plain(` ERROR [exec-${w.below(64)}] java.lang.IllegalStateException: ${w.words(5)}`)
    const frames = Array.from({ length: 4 + w.below(16) }, () => {
      const name = w.pick(classes)
      const frame = ` ${w.pick(packages)}.${name}.${w.pick(methods)}(${name}.java:${1 + w.below(900)})`
      return { before: Buffer.from('\tat '), after: Buffer.from(frame) }
    })
    return [first, ...frames]
  },
  multibyte: (w) => [
    plain(` ${w.pick(levels)} ${w.pick(scripts)} · ${w.pick(scripts)} №${w.below(1e5)} ${w.pick(scripts)}`),
  ],
}

function kindOf(mix: Kind | 'mixed', w: Writing): Kind {
  if (mix !== 'mixed') return mix
  let place = w.below(100)
  for (const [share, kind] of shares) {
    place -= share
    if (place < 0) return kind
  }
  return 'short'
}

/** Lines of so many bytes together, heads included, or a few more. */
export function makeLines(mix: Kind | 'mixed', seed: number, bytes: number, headBytes: number): LineText[] {
  const w = new Writing(seed)
  const lines: LineText[] = []
  for (let made = 0; made < bytes;) {
    for (const line of events[kindOf(mix, w)](w)) {
      lines.push(line)
      made += line.before.length + headBytes + line.after.length + 1
    }
  }
  return lines
}
