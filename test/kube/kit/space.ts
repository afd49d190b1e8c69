import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFailed } from 'vitest'
import { kubectl } from '../../kit/kubernetes/kubectl.ts'
import type { Manifest } from '../../kit/kubernetes/manifest.ts'
import { followed, type Log } from './log.ts'

const commandMsMax = 120_000
const pollMs = 500
/** Of a container, for whoever looks into a failure. */
const lastLines = 30

/** Source: Kubernetes, "Pod Security Standards". */
export type PodSecurity = 'restricted' | 'baseline'

export interface Done {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** kubectl, to its end, whatever that is. */
export async function tried(args: readonly string[], input = ''): Promise<Done> {
  const child = spawn(kubectl ?? 'kubectl', args, { timeout: commandMsMax })
  const [stdout, stderr]: [string[], string[]] = [[], []]
  child.stdout.setEncoding('utf8').on('data', (text: string) => stdout.push(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.push(text))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [status] = (await once(child, 'close')) as [number | null]
  return { status: status ?? -1, stdout: stdout.join(''), stderr: stderr.join('') }
}

/** @returns what it prints @throws Error with what it says when it fails */
export async function kube(args: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await tried(args, input)
  if (status !== 0) throw new Error(`kubectl ${args.slice(0, 8).join(' ')}: ${stderr.trim() || `exit ${status}`}`)
  return stdout
}

/** A namespace of its own, where only what passes Pod Security `restricted` may run, or another level of it. */
export class Space {
  readonly name: string

  private constructor(name: string) {
    this.name = name
  }

  static async make(level: PodSecurity = 'restricted'): Promise<Space> {
    const space = new Space(`remora-test-${process.pid}-${Date.now().toString(36)}`)
    const labels = { 'pod-security.kubernetes.io/enforce': level }
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: space.name, labels } }
    await kube(['create', '-f', '-'], JSON.stringify(namespace))
    // The controller makes it; no Pod is taken before.
    await until('the default service account', () => space.run('get', 'serviceaccount', 'default'))
    return space
  }

  async remove(): Promise<void> {
    await kube(['delete', 'namespace', this.name, '--wait=false'])
    await tried(['-n', this.name, 'delete', 'pod', '--all', '--now', '--wait=false'])
  }

  run(...args: readonly string[]): Promise<string> {
    return kube(['-n', this.name, ...args])
  }

  /** As `kubectl apply` does, with unknown fields refused by the server. */
  apply(manifests: readonly Manifest[], ...options: readonly string[]): Promise<string> {
    const list = { apiVersion: 'v1', kind: 'List', items: manifests }
    return kube(['-n', this.name, 'apply', '--validate=strict', ...options, '-f', '-'], JSON.stringify(list))
  }

  async get(kind: string, name: string): Promise<Manifest> {
    return JSON.parse(await this.run('get', kind, name, '-o', 'json'))
  }

  /** Of a controller's Pods, the youngest, which is undefined before there is one. */
  async podWith(label: string): Promise<Manifest> {
    const { items } = JSON.parse(await this.run('get', 'pod', '-l', label, '-o', 'json'))
    return items.toSorted((a: Manifest, b: Manifest) =>
      b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp),
    )[0]
  }

  exec(pod: string, container: string, script: string): Promise<Done> {
    return tried(['-n', this.name, 'exec', pod, '-c', container, '--', 'node', '-e', script])
  }

  /**
   * What Remora answers on its admin port, or whoever has that port. Asked from the application's container: they share the
   * network, and Remora's own memory has no room for a second Node.
   */
  async asked(pod: string, path: string, port = 9600): Promise<{ readonly status: number; readonly text: string }> {
    const script = `const answer = await fetch('http://127.0.0.1:${port}${path}')
      console.log(JSON.stringify({ status: answer.status, text: await answer.text() }))`
    const { stdout, stderr } = await this.exec(pod, 'application', `(async () => {${script}})()`)
    if (stdout === '') throw new Error(`${path}: ${stderr.trim()}`)
    return JSON.parse(stdout)
  }

  /** Where a test fails, the last of it is printed. */
  follow(pod: string, container: string): Log {
    const log = followed(['-n', this.name, 'logs', '-f', pod, '-c', container, '--pod-running-timeout=60s'])
    onTestFailed(() => console.error(`${pod} ${container}:\n${log.text.split('\n').slice(-lastLines).join('\n')}`))
    return log
  }

  /** Waits until it is so of a Pod. */
  untilPod(pod: string, what: string, isSo: (pod: Manifest) => boolean, msMax = 120_000): Promise<Manifest> {
    return until(
      `${pod}: ${what}`,
      async () => {
        const now = await this.get('pod', pod)
        return isSo(now) ? now : undefined
      },
      msMax,
    )
  }

  ready(pod: string, msMax?: number): Promise<Manifest> {
    return this.untilPod(pod, 'Ready', isReady, msMax)
  }
}

export function isReady(pod: Manifest): boolean {
  return pod.status.conditions?.some(({ type, status }: Manifest) => type === 'Ready' && status === 'True') ?? false
}

/** Status of the sidecar, native or not. */
export function statusOf(pod: Manifest, container = 'remora'): Manifest {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status
  return [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === container)
}

/** @throws Error with the last thing that went wrong, when it is not so in time */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, msMax = 60_000): Promise<T> {
  const end = performance.now() + msMax
  let last: unknown
  while (performance.now() < end) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
    } catch (error) {
      last = error
    }
    await delay(pollMs)
  }
  throw new Error(`not within ${msMax / 1_000} s: ${what}`, { cause: last })
}
