/** A uniform integer in `[0, below)`. */
export type Random = (below: number) => number

/** mulberry32: small, fast, and the same on every machine for the same seed. */
export function seeded(seed: number): Random {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below)
  }
}

/** What an application writes at once: one line, or several (`text` then holds newlines); never an empty line. */
export interface Event {
  readonly text: string
  readonly lines: number
  /** `latin1` makes umlauts invalid UTF-8; `cut` drops the last byte, in the middle of a character. */
  readonly encoding: 'utf8' | 'latin1' | 'cut'
}

const levels = ['INFO ', 'INFO ', 'INFO ', 'INFO ', 'DEBUG', 'DEBUG', 'WARN ', 'ERROR']
const threads = ['main', 'http-nio-8080-exec-1', 'http-nio-8080-exec-17', 'scheduling-1', 'kafka-consumer-0']
const loggers = [
  'c.e.shop.OrderService',
  'c.e.shop.cart.CartController',
  'o.s.web.servlet.DispatcherServlet',
  'o.h.engine.jdbc.spi.SqlExceptionHelper',
  'c.z.hikari.pool.HikariPool',
]
const shortTexts = [
  'Started in 4.271 seconds',
  'Cache miss',
  'Retrying',
  'Connection accepted from 10.0.3.17',
  'Order accepted, awaiting payment',
  'Session expired for user "guest"',
]
const paths = [
  '/api/v1/orders',
  '/api/v1/orders/8841/items',
  '/static/app.3f9c1.js',
  '/healthz',
  '/search?q=%22red+shoes%22&page=2',
]
const agents = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'curl/8.5.0',
  'kube-probe/1.34',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15',
]
const worldTexts = [
  'Überweisung über 1.204,50 € an Jürgen Groß bestätigt',
  '注文を受け付けました。確認メールを送信します',
  'Заказ №48213 передан в службу доставки',
  '배송이 시작되었습니다 🚚 도착 예정: 내일',
  'Commande expédiée à Besançon — numéro de suivi généré ✓',
  'تم تأكيد الطلب بنجاح',
]
const latinTexts = [
  'Kunde Müller, Köln: Übergabe verzögert',
  'Paiement refusé à Orléans, carte périmée',
  'Señal recibida en Málaga',
]
const exceptions = [
  'java.lang.IllegalStateException: Connection pool "main" is closed',
  'java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 30000ms.',
  'java.net.SocketTimeoutException: Read timed out',
]
const frames = [
  'com.example.shop.OrderService.place(OrderService.java:',
  'com.example.shop.cart.CartController.lambda$checkout$3(CartController.java:',
  'org.springframework.web.method.support.InvocableHandlerMethod.doInvoke(InvocableHandlerMethod.java:',
  'java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:',
  'org.apache.catalina.core.ApplicationFilterChain.internalDoFilter(ApplicationFilterChain.java:',
  'jdk.internal.reflect.DirectMethodHandleAccessor.invoke(DirectMethodHandleAccessor.java:',
]
const sqlParts = [
  'SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id ',
  "WHERE o.state IN ('NEW','PAID') AND c.country = 'DE'\\n\\t",
  '{"path":"C:\\\\data\\\\in\\\\batch.csv","note":"say \\"hello\\""} ',
  'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v',
]

function pick(random: Random, from: readonly string[]): string {
  return from[random(from.length)] ?? ''
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

/** The application's own clock: starts at a fixed instant and moves a few milliseconds with every event. */
class Stamps {
  private ms = 63_000_123
  iso = ''
  apache = ''

  advance(byMs: number): void {
    this.ms = (this.ms + byMs) % 86_400_000
    const secondOfDay = Math.floor(this.ms / 1000)
    const time = `${pad(Math.floor(secondOfDay / 3600), 2)}:${pad(Math.floor(secondOfDay / 60) % 60, 2)}:${pad(secondOfDay % 60, 2)}`
    this.iso = `2026-11-22 ${time},${pad(this.ms % 1000, 3)}`
    this.apache = `22/Nov/2026:${time} +0000`
  }
}

type Maker = (random: Random, at: Stamps) => string

const short: Maker = (random, at) =>
  `${at.iso} ${pick(random, levels)} [${pick(random, threads)}] ${pick(random, loggers)} : ${pick(random, shortTexts)}`

const access: Maker = (random, at) =>
  `10.${random(256)}.${random(256)}.${random(256)} - - [${at.apache}] "GET ${pick(random, paths)} HTTP/1.1" ${random(20) === 0 ? 404 : 200} ${random(90_000)} "-" "${pick(random, agents)}" ${random(900)}`

const keyValue: Maker = (random, at) =>
  `time="${at.iso}" level=info component=${pick(random, loggers)} msg="request done" method=POST path=${pick(random, paths)} status=201 duration_ms=${random(4000)} request_id=${random(4294967296).toString(16)} bytes=${random(65_536)}`

const json: Maker = (random, at) =>
  JSON.stringify({
    ts: at.iso,
    level: pick(random, levels).trim(),
    logger: pick(random, loggers),
    msg: pick(random, shortTexts),
    http: { path: pick(random, paths), status: 200, ms: random(900) },
    trace: random(4294967296).toString(16),
  })

const world: Maker = (random, at) =>
  `${at.iso} ${pick(random, levels)} [${pick(random, threads)}] ${pick(random, worldTexts)}`

const colour: Maker = (random, at) =>
  `\u001b[2m${at.iso}\u001b[0m \u001b[32m INFO\u001b[0m \u001b[36m${pick(random, loggers)}\u001b[0m\t${pick(random, shortTexts)}`

const windows: Maker = (random, at) => `${short(random, at)}\tC:\\app\\spool\\${random(100_000)}.tmp\r`

/** 0.5 to 12 KiB, most of them near the lower end, as dumped statements and payloads are. */
const long: Maker = (random, at) => {
  const parts = 6 + Math.floor((random(100) * random(100) * random(140)) / 10_000)
  let text = `${at.iso} DEBUG [${pick(random, threads)}] o.h.SQL : `
  for (let part = 0; part < parts; part++) text += pick(random, sqlParts)
  return text
}

function stackTrace(random: Random, at: Stamps): Event {
  const depth = 6 + random(22)
  let text = `${at.iso} ERROR [${pick(random, threads)}] ${pick(random, loggers)} : request failed\n${pick(random, exceptions)}`
  for (let frame = 0; frame < depth; frame++) text += `\n\tat ${pick(random, frames)}${10 + random(900)})`
  return { text, lines: depth + 2, encoding: 'utf8' }
}

const latin: Maker = (random, at) => `${at.iso} WARN  [${pick(random, threads)}] ${pick(random, latinTexts)}`

/** Events per ten thousand, together with the three below. A stack trace is one event of 8 to 29 lines. */
const mix: readonly (readonly [number, Maker])[] = [
  [3650, short],
  [2000, access],
  [1500, keyValue],
  [1500, json],
  [500, world],
  [100, colour],
  [60, windows],
  [200, long],
]
const tracePerTenThousand = 320
const latinPerTenThousand = 110
const cutPerTenThousand = 60

/** Endless events of one mixed log; the same seed gives the same events for ever (see `generatorVersion`). */
export function* events(seed: number): Generator<Event, never> {
  const random = seeded(seed)
  const at = new Stamps()
  for (;;) {
    at.advance(random(12))
    const roll = random(10_000)
    if (roll < tracePerTenThousand) {
      yield stackTrace(random, at)
      continue
    }
    if (roll < tracePerTenThousand + latinPerTenThousand) {
      yield { text: latin(random, at), lines: 1, encoding: 'latin1' }
      continue
    }
    if (roll < tracePerTenThousand + latinPerTenThousand + cutPerTenThousand) {
      yield { text: `${short(random, at)} 注文`, lines: 1, encoding: 'cut' }
      continue
    }
    let left = roll - tracePerTenThousand - latinPerTenThousand - cutPerTenThousand
    let make: Maker = short
    for (const [share, maker] of mix) {
      make = maker
      if (left < share) break
      left -= share
    }
    yield { text: make(random, at), lines: 1, encoding: 'utf8' }
  }
}
