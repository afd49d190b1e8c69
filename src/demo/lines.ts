/** Which sort of content an event has, so that tests can ask whether all of them occur. */
export type EventKind = 'access' | 'pairs' | 'json' | 'trace' | 'text' | 'long'

/** One thing that the application logs. A stack trace is several lines, anything else is one. */
export interface LogEvent {
  readonly kind: EventKind
  /** Without line ends, never empty, valid UTF-16. */
  readonly lines: readonly string[]
  readonly lineEnd: '\n' | '\r\n'
}

/** A number in [0, 1), the same sequence for the same seed. */
export type Random = () => number

/** Source: Bob Jenkins' small fast counting generator (sfc32), public domain. */
export function randomFrom(seed: number): Random {
  let [a, b, c, counter] = [seed | 0, 0x9e3779b9 | 0, 0x243f6a88 | 0, 1]
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return (sum >>> 0) / 2 ** 32
  }
  // The first numbers of neighbouring seeds are alike.
  for (let round = 0; round < 12; round++) next()
  return next
}

/** Shares of a hundred events. */
const kinds: readonly (readonly [share: number, kind: EventKind])[] = [
  [40, 'access'],
  [25, 'pairs'],
  [20, 'json'],
  [4, 'trace'],
  [10, 'text'],
  [1, 'long'],
]
const carriageReturnShare = 0.03
const longLineCharsMax = 20_000

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const methods = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE']
const paths = [
  '/api/orders',
  '/api/orders/{id}',
  '/api/cart',
  '/api/cart/items',
  '/api/payments/{id}/capture',
  '/health',
  '/',
]
const statuses = [200, 200, 200, 200, 201, 204, 301, 304, 400, 401, 404, 409, 500, 502, 503]
const agents = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15',
  'kube-probe/1.34',
  'curl/8.14.1',
]
const components = ['checkout', 'inventory', 'pricing', 'payments', 'scheduler', 'http', 'db.pool']
const levels = ['DEBUG', 'INFO', 'INFO', 'INFO', 'WARN', 'ERROR']
const actions = [
  'order placed',
  'stock reserved',
  'price recalculated',
  'card authorised',
  'retrying',
  'cache miss',
  'lock released',
]
const customers = [
  'Zoë Müller',
  '山田 太郎',
  'Анна Иванова',
  'José Ñandú',
  'محمد علي',
  'Ngọc Nguyễn',
  '김민준',
  'O’Brien & Søn',
]
const texts = [
  'Grüße an {name}: Bestellung bestätigt ✅ für 12,50 €',
  '注文が確定しました（{name}様）— 合計 ¥1,980',
  'Заказ принят, {name}. Спасибо! 🎉👩‍👩‍👧‍👦',
  'tab\there, quote " and backslash \\ and \u001b[33mcolour\u001b[0m for {name}',
  'separators that are no line ends:\u2028{name}\u2029\u0085 and U+FEFF \uFEFF',
]
const failures = [
  'java.sql.SQLTransientConnectionException',
  'java.lang.IllegalStateException',
  'java.net.SocketTimeoutException',
]
const frames = [
  'com.acme.shop.order.OrderService.place(OrderService.java:{n})',
  'com.acme.shop.db.ConnectionPool.borrow(ConnectionPool.java:{n})',
  'org.springframework.web.method.support.InvocableHandlerMethod.doInvoke(InvocableHandlerMethod.java:{n})',
  'jdk.internal.reflect.DirectMethodHandleAccessor.invoke(DirectMethodHandleAccessor.java:{n})',
  'java.base/java.lang.VirtualThread.run(VirtualThread.java:{n})',
]

/**
 * Makes log events that look like a web shop's. Every line carries `NAME-SEQUENCE` with a sequence of its own, so no two
 * lines of one source are the same. The same seed and the same times give the same events.
 */
export class LineSource {
  readonly #name: string
  readonly #random: Random
  #sequence = 0
  readonly #makers: Readonly<Record<EventKind, (now: Date) => readonly string[]>> = {
    access: (now) => [this.#access(now)],
    pairs: (now) => [this.#pairs(now)],
    json: (now) => [this.#json(now)],
    trace: (now) => this.#trace(now),
    text: (now) => [this.#text(now)],
    long: (now) => [this.#long(now)],
  }

  constructor(name: string, random: Random) {
    this.#name = name
    this.#random = random
  }

  next(nowMs: number): LogEvent {
    const kind = this.#kind()
    const lineEnd = this.#random() < carriageReturnShare ? '\r\n' : '\n'
    return { kind, lines: this.#makers[kind](new Date(nowMs)), lineEnd }
  }

  #kind(): EventKind {
    let ticket = this.#random() * 100
    for (const [share, kind] of kinds) if ((ticket -= share) < 0) return kind
    return 'access'
  }

  #access(now: Date): string {
    const path = this.#pick(paths).replace('{id}', String(this.#upTo(90_000)))
    const address = `10.${this.#upTo(256)}.${this.#upTo(256)}.${this.#upTo(256)}`
    const [day, month, year] = [now.getUTCDate(), months[now.getUTCMonth()], now.getUTCFullYear()]
    const time = `${String(day).padStart(2, '0')}/${month}/${year}:${now.toISOString().slice(11, 19)}`
    const request = `${this.#pick(methods)} ${path}?rid=${this.#mark()} HTTP/1.1`
    return `${address} - - [${time} +0000] "${request}" ${this.#pick(statuses)} ${this.#upTo(65_536)} "-" "${this.#pick(agents)}"`
  }

  #pairs(now: Date): string {
    const duration = (this.#random() * 900).toFixed(3)
    return `ts=${now.toISOString()} level=${this.#pick(levels).toLowerCase()} component=${this.#pick(components)} msg="${this.#pick(actions)}" id=${this.#mark()} order=${this.#upTo(90_000)} duration_ms=${duration}`
  }

  #json(now: Date): string {
    const customer = { name: this.#pick(customers), id: this.#upTo(10_000) }
    const log = { logger: `com.acme.${this.#pick(components)}`, message: this.#pick(actions), event: this.#mark() }
    return JSON.stringify({
      time: now.toISOString(),
      level: this.#pick(levels),
      ...log,
      customer,
      amount: this.#upTo(50_000) / 100,
    })
  }

  #trace(now: Date): string[] {
    const error = this.#pick(failures)
    const head = `${now.toISOString()} ERROR [virtual-${this.#upTo(64)}] ${this.#mark()} c.a.s.order.OrderService : ${this.#pick(actions)} failed`
    const lines = [head, `${error}: timed out after ${this.#upTo(30_000)} ms [${this.#mark()}]`]
    const depth = 3 + this.#upTo(12)
    for (let frame = 0; frame < depth; frame++) lines.push(this.#frame())
    if (this.#random() < 0.5)
      lines.push(`Caused by: java.io.IOException: Connection reset by peer [${this.#mark()}]`, this.#frame())
    return lines
  }

  #frame(): string {
    return `\tat ${this.#pick(frames).replace('{n}', String(this.#upTo(900)))} ~[shop.jar:${this.#mark()}]`
  }

  #text(now: Date): string {
    const text = this.#pick(texts).replace('{name}', this.#pick(customers))
    return `${now.toISOString()} ${this.#pick(levels)} ${this.#mark()} ${text}`
  }

  #long(now: Date): string {
    const items: string[] = []
    const charsMin = 1000 + this.#upTo(longLineCharsMax - 1000)
    for (let chars = 0; chars < charsMin; chars += items.at(-1)?.length ?? 1) {
      items.push(`{"sku":"SKU-${this.#upTo(1_000_000)}","name":"${this.#pick(customers)}","qty":${this.#upTo(20)}}`)
    }
    return `${now.toISOString()} DEBUG ${this.#mark()} request body: [${items.join(',')}]`
  }

  #mark(): string {
    return `${this.#name}-${String(++this.#sequence).padStart(7, '0')}`
  }

  #upTo(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick(list: readonly string[]): string
  #pick(list: readonly number[]): number
  #pick(list: readonly (string | number)[]): string | number {
    const picked = list[this.#upTo(list.length)]
    if (picked === undefined) throw new RangeError('nothing to pick from')
    return picked
  }
}
