/** Which variables of the environment are settings, which are mistakes, and which Kubernetes has put there. */
import { isIP } from 'node:net'
import { closestMatch } from 'leven'
import { quoted } from '../base/units.ts'
import type { Problem } from './problem.ts'
import { rows } from './settings.ts'

export interface Names {
  readonly problems: readonly Problem[]
  readonly notices: readonly string[]
  /** Variables that Kubernetes has put there, to be treated as not given although one may be named like a setting. */
  readonly injected: ReadonlySet<string>
}

const problemsMax = 50
const namesShownMax = 5
const nameCharactersMax = 80

const settingNames: readonly string[] = rows.map(([, setting]) => setting.name)
const fileNames: readonly string[] = settingNames.map((name) => `${name}_FILE`)
const known: ReadonlySet<string> = new Set([...settingNames, ...fileNames])

/** Looks at names and, for the shapes that Kubernetes injects, at values. An empty or blank value counts as not given. */
export function sortNames(env: Readonly<Record<string, string | undefined>>): Names {
  const problems: Problem[] = []
  const injected = new Set<string>()
  for (const [name, value = ''] of Object.entries(env)) {
    if (value.trim() === '' || !/^remora_/i.test(name)) continue
    if (isInjected(name, value)) injected.add(name)
    else if (!known.has(name) && (name.startsWith('REMORA_') || known.has(name.toUpperCase())))
      problems.push(stray(name))
  }
  return {
    problems: problems.slice(0, problemsMax),
    notices: injected.size === 0 ? [] : [noticeOf([...injected])],
    injected,
  }
}

function stray(name: string): Problem {
  const short = name.slice(0, nameCharactersMax)
  const variable = /^\w+$/.test(short) ? short : quoted(short, nameCharactersMax)
  const nearest = closestMatch(short.toUpperCase(), short.endsWith('_FILE') ? [...known] : settingNames) ?? ''
  const wayOut = `the nearest known name is ${nearest}; rename it or remove it (\`remora config --reference\` lists all)`
  return { variable, message: 'there is no such setting', wayOut }
}

function noticeOf(names: readonly string[]): string {
  const shown = names.slice(0, namesShownMax).map((name) => name.slice(0, nameCharactersMax))
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : ''
  const what = names.length === 1 ? 'a variable' : `${names.length} variables`
  return (
    `ignored ${what} that Kubernetes sets for Services whose name begins with "remora": ${shown.join(', ')}${more}; ` +
    'enableServiceLinks: false in the Pod keeps them away'
  )
}

const isAddress = (value: string) => {
  const [, four = '', six = ''] = /^(?:tcp|udp|sctp):\/\/(?:([\d.]+)|\[([\da-f:.]+)\]):\d{1,5}$/.exec(value) ?? []
  return isIP(four) === 4 || isIP(six) === 6
}
const isIpAddress = (value: string) => isIP(value) !== 0
const isPort = (value: string) => /^\d{1,5}$/.test(value)
const isProtocol = (value: string) => /^(?:tcp|udp|sctp)$/.test(value)

/**
 * What the kubelet sets for each Service of the namespace, and the shape of its value. The values decide too: a Service
 * named `remora-admin` sets `REMORA_ADMIN_PORT=tcp://…`, and a person may set that very name to `9600`.
 * Source: Kubernetes documentation, "Service", discovering services, environment variables.
 */
const shapes: readonly (readonly [name: RegExp, value: (value: string) => boolean])[] = [
  [/^REMORA_(?:\w+_)?SERVICE_HOST$/, isIpAddress],
  [/^REMORA_(?:\w+_)?SERVICE_PORT(?:_\w+)?$/, isPort],
  [/^REMORA_(?:\w+_)?PORT$/, isAddress],
  [/^REMORA_(?:\w+_)?PORT_\d+_(?:TCP|UDP|SCTP)$/, isAddress],
  [/^REMORA_(?:\w+_)?PORT_\d+_(?:TCP|UDP|SCTP)_PROTO$/, isProtocol],
  [/^REMORA_(?:\w+_)?PORT_\d+_(?:TCP|UDP|SCTP)_PORT$/, isPort],
  [/^REMORA_(?:\w+_)?PORT_\d+_(?:TCP|UDP|SCTP)_ADDR$/, isIpAddress],
]

function isInjected(name: string, value: string): boolean {
  return shapes.some(([ofName, ofValue]) => ofName.test(name) && ofValue(value))
}
