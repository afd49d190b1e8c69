import { get } from 'node:http'
import { startAdmin } from '../admin/server.ts'
import { ok, warning, type Finding } from './finding.ts'

export type AdminFacts =
  | { readonly kind: 'off' }
  | { readonly kind: 'free'; readonly port: number }
  | {
      readonly kind: 'taken'
      readonly port: number
      readonly message: string
      /** What answers there is an agent's own metrics. */
      readonly byRemora: boolean
    }

const answerMaxMs = 1_000
const answerBytesMax = 64 * 1024

export function adminFindings(facts: AdminFacts): Finding[] {
  if (facts.kind === 'off') return [ok('off (REMORA_ADMIN_PORT=0): no probes and no metrics')]
  if (facts.kind === 'free') return [ok(`port ${facts.port} is free`)]
  if (facts.byRemora) {
    return [ok(`port ${facts.port} is taken by a Remora that runs: right, if it is the one of this container`)]
  }
  return [
    warning(
      `port ${facts.port} cannot be listened on: ${facts.message}. Remora would ship without probes and metrics`,
      'Choose another with REMORA_ADMIN_PORT (0: none); all containers of a Pod share their ports',
    ),
  ]
}

/** Opens the port as the agent would, for a moment. */
export async function adminFactsOf(port: number): Promise<AdminFacts> {
  if (port === 0) return { kind: 'off' }
  let message: string | undefined
  const routes = {
    ready: () => ({ ready: false, detail: 'a check' }),
    metrics: () => Promise.reject(new Error('a check')),
    page: () => Promise.reject(new Error('a check')),
    status: () => Promise.reject(new Error('a check')),
  }
  const server = await startAdmin(port, routes, (notice) => (message = notice.message))
  await server.close()
  if (message === undefined) return { kind: 'free', port }
  return { kind: 'taken', port, message: reasonOf(message), byRemora: await isRemora(port) }
}

const reasonOf = (message: string) =>
  /\bE[A-Z]+\b/.exec(message)?.[0] === 'EADDRINUSE' ? 'something else listens there' : message

function isRemora(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      { host: 'localhost', port, path: '/metrics', agent: false, signal: AbortSignal.timeout(answerMaxMs) },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
          if (text.includes('# TYPE remora_') || text.length > answerBytesMax) request.destroy()
        })
        response.on('close', () => resolve(text.includes('# TYPE remora_')))
      },
    )
    request.on('error', () => resolve(false))
  })
}
