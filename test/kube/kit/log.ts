import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { kubectl } from '../../kit/kubernetes/kubectl.ts'
import type { Manifest } from '../../kit/kubernetes/manifest.ts'

/** What a container has printed so far, while it runs and after its end. */
export interface Log {
  readonly text: string
  /** Those lines that are JSON objects. */
  readonly messages: readonly Manifest[]
  /** When the container has ended. */
  readonly ended: Promise<unknown>
  /** Whether it has a message with that `event.code`. */
  said(code: string): boolean
  stop(): void
}

export function followed(args: readonly string[]): Log {
  const child = spawn(kubectl ?? 'kubectl', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const parts: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => parts.push(text))
  const ended = once(child, 'close')
  return {
    get text() {
      return parts.join('')
    },
    get messages() {
      return messagesIn(parts.join(''))
    },
    ended,
    said(code) {
      return messagesIn(parts.join('')).some((message) => message['event.code'] === code)
    },
    stop() {
      child.kill()
    },
  }
}

export function messagesIn(text: string): Manifest[] {
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line)
      return typeof value === 'object' && value !== null ? [value] : []
    } catch {
      return []
    }
  })
}
