/** Who answered `GET /`: Elasticsearch, OpenSearch, or whatever stands at that address instead. */
import type { Discretion } from '../discretion.ts'
import { error, ok, warning, type Finding, type Trouble } from '../finding.ts'
import type { Answered } from './ask.ts'
import { parseJson, textAt } from './json.ts'

export interface Credentials {
  /** The name of the user, where there is a password rather than an API key; both undefined: none are given. */
  readonly username: string | undefined
  readonly apiKey: boolean
  readonly bearerToken?: boolean
}

/** `unknown`: Elasticsearch or OpenSearch, for it does not let us see. OpenSearch has a security of its own. */
export type Product = 'elasticsearch' | 'serverless' | 'opensearch' | 'unknown'

/** `usable`: further questions make sense, for this is a server that Remora can ship to, and it lets us in. */
export interface Identity {
  readonly product: Product
  readonly finding: Finding
  readonly usable: boolean
  /** Empty when it was not told. */
  readonly clusterUuid: string
}

const stop = (finding: Trouble): Identity => ({ product: 'elasticsearch', finding, usable: false, clusterUuid: '' })

const urlSetting = 'REMORA_ELASTICSEARCH_URL'
const elsewhere = `Correct ${urlSetting}: it must lead to Elasticsearch itself (the usual port is 9200)`

export function identityOf(url: string, answer: Answered, credentials: Credentials, discretion: Discretion): Identity {
  const body = parseJson(answer.body)
  const said = saidBy(answer, discretion)
  const trouble = (text: string, wayOut: string) => stop(error(`${url}: ${text}`, wayOut))

  if (answer.headers['kbn-name'] !== undefined) {
    return trouble(
      'Kibana answered, not Elasticsearch',
      `Write the address of Elasticsearch in ${urlSetting} (the usual port is 9200, not 5601)`,
    )
  }
  if (answer.body.startsWith('This is not an HTTP port')) {
    return trouble(
      'this is the port that the nodes of Elasticsearch use among themselves',
      `Write the HTTP port in ${urlSetting} (the usual one is 9200, not 9300)`,
    )
  }
  const isOpen = isOpenSearch(answer, body)
  const name = isOpen ? 'OpenSearch' : 'Elasticsearch'
  const isKnown = isOpen || answer.headers['x-elastic-product'] === 'Elasticsearch'
  const ofSecurity = textAt(body, 'error', 'type') === 'security_exception'
  if (answer.status === 401) {
    return ofSecurity || isOpen
      ? stop(refusedCredentials(url, body, credentials, isOpen, discretion))
      : trouble(`${said} asks for credentials; it does not look like Elasticsearch`, elsewhere)
  }
  if (answer.status === 403 && ofSecurity) {
    const text = `${url}: ${isKnown ? name : 'Elasticsearch or OpenSearch'}; its version may not be seen with these credentials`
    const product = isOpen ? 'opensearch' : isKnown ? 'elasticsearch' : 'unknown'
    return { product, finding: ok(text), usable: true, clusterUuid: '' }
  }
  if (answer.status >= 300 && answer.status < 400) {
    const to = discretion.quote(withoutQuery(answer.headers.location ?? ''), 200)
    return trouble(
      `${said} answered, and sends on to ${to === '' ? 'nowhere' : to}`,
      `Write the address of Elasticsearch itself in ${urlSetting}: Remora follows no redirection`,
    )
  }
  if (isKnown && answer.status === 404) {
    return trouble(`this is ${name}, but it knows no such path`, `Write ${urlSetting} without ${new URL(url).pathname}`)
  }
  if (answer.status === 503 && (isKnown || textAt(body, 'cluster_name') !== '')) {
    return trouble(
      `${name} is starting, or has no master: it answers 503`,
      'Look at the health of the cluster, then check again',
    )
  }
  if (answer.status === 429) return trouble('it is overloaded: it answers 429', 'Check again when it has less to do')
  if (answer.status === 200 && textAt(body, 'version', 'number') !== '') {
    return isOpen ? ofOpenSearch(url, body, discretion) : ofElasticsearch(url, answer, body, discretion)
  }
  const proxy =
    answer.status >= 500 ? 'Look at the proxy or ingress in front, and whether Elasticsearch behind it runs' : elsewhere
  return trouble(`${said} answered; it is not Elasticsearch`, proxy)
}

/** The oldest versions that `docs/compatibility.md` has tried. */
const tried = { elasticsearch: [7, 17], opensearch: [2, 19] } as const

function isOlder(number: string, [thanMajor, thanMinor]: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = number.split('.').map(Number)
  return major < thanMajor || (major === thanMajor && minor < thanMinor)
}

function ofElasticsearch(url: string, answer: Answered, body: unknown, discretion: Discretion): Identity {
  const number = discretion.quote(textAt(body, 'version', 'number'), 20)
  const cluster = discretion.quote(textAt(body, 'cluster_name'), 60)
  const clusterUuid = textAt(body, 'cluster_uuid')
  // Its number says nothing: all projects tell the same.
  if (textAt(body, 'version', 'build_flavor') === 'serverless') {
    const finding = ok(`${url}: Elasticsearch, a serverless project, "${cluster}"`)
    return { product: 'serverless', finding, usable: true, clusterUuid }
  }
  const known = { product: 'elasticsearch', usable: true, clusterUuid } as const
  const text = `${url}: Elasticsearch ${number}, cluster "${cluster}"`
  // Before 7 each document has a type.
  if (isOlder(number, [7, 0])) {
    return {
      ...known,
      finding: error(`${text}: older than 7`, 'Use an Elasticsearch of version 8 or later'),
      usable: false,
    }
  }
  if (isOlder(number, tried.elasticsearch)) return { ...known, finding: tooOld(text) }
  if (answer.headers['x-elastic-product'] === 'Elasticsearch') return { ...known, finding: ok(text) }
  const missing = `${text}: without the header X-Elastic-Product, which a proxy must have removed, or this imitates it`
  return { ...known, finding: warning(missing, 'Let the proxy in front pass the headers of Elasticsearch on') }
}

function ofOpenSearch(url: string, body: unknown, discretion: Discretion): Identity {
  const number = discretion.quote(textAt(body, 'version', 'number'), 20)
  const text = `${url}: OpenSearch ${number}, cluster "${discretion.quote(textAt(body, 'cluster_name'), 60)}"`
  const finding = isOlder(number, tried.opensearch) ? tooOld(text) : ok(text)
  return { product: 'opensearch', finding, usable: true, clusterUuid: textAt(body, 'cluster_uuid') }
}

const tooOld = (text: string) =>
  warning(`${text}: older than what Remora is tried with`, 'Use a later one where you can')

function refusedCredentials(
  url: string,
  body: unknown,
  credentials: Credentials,
  isOpen: boolean,
  discretion: Discretion,
): Trouble {
  const reason = discretion.quote(textAt(body, 'error', 'additional_unsuccessful_credentials'), 120)
  if (credentials.apiKey) {
    const text = `${url}: the API key in REMORA_API_KEY is not accepted${reason === '' ? '' : ` (${reason})`}`
    if (isOpen) {
      const wayOut = 'OpenSearch does not know the API keys of Elasticsearch: set REMORA_USERNAME and REMORA_PASSWORD'
      return error(text, wayOut)
    }
    return error(text, 'Give the "encoded" value of a key of this cluster that is neither expired nor invalidated')
  }
  if (credentials.bearerToken === true) {
    const text = `${url}: the token in REMORA_BEARER_TOKEN is not accepted${reason === '' ? '' : ` (${reason})`}`
    return error(text, 'Give a token that this cluster knows and that has not expired')
  }
  if (credentials.username !== undefined) {
    return error(
      `${url}: user ${credentials.username} and the password in REMORA_PASSWORD are not accepted`,
      'Correct REMORA_USERNAME or REMORA_PASSWORD',
    )
  }
  return error(
    `${url}: ${isOpen ? 'OpenSearch' : 'Elasticsearch'} asks for credentials, and none are given`,
    isOpen
      ? 'Set REMORA_USERNAME and REMORA_PASSWORD'
      : 'Set REMORA_API_KEY, or REMORA_USERNAME and REMORA_PASSWORD, or REMORA_BEARER_TOKEN',
  )
}

function isOpenSearch({ headers }: Answered, body: unknown): boolean {
  const realm = headers['www-authenticate'] ?? ''
  return (
    textAt(body, 'version', 'distribution') === 'opensearch' ||
    // Since 3.
    headers['x-opensearch-version'] !== undefined ||
    /opensearch/i.test(realm) ||
    textAt(body, 'tagline').startsWith('The OpenSearch Project')
  )
}

/** `an HTML page titled "Welcome" (nginx, status 200)` */
function saidBy({ status, headers, body }: Answered, discretion: Discretion): string {
  const type = headers['content-type'] ?? ''
  const server = discretion.quote([headers['server'] ?? ''].flat().join(' '), 40)
  const by = `(${server === '' ? '' : `${server}, `}status ${status})`
  if (type.includes('html') || /^\s*<(?:!doctype|html)/i.test(body)) {
    const title = discretion.quote(/<title[^>]*>([^<]*)/i.exec(body)?.[1] ?? '', 60)
    return `an HTML page${title === '' ? '' : ` titled "${title}"`} ${by}`
  }
  if (parseJson(body) !== undefined) return `a service that speaks JSON ${by}`
  const text = discretion.quote(body, 60)
  return text === '' ? `an empty page ${by}` : `a service that says "${text}" ${by}`
}

const withoutQuery = (location: string) => location.replace(/[?#].*$/s, '')
