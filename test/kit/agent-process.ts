import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface AgentProcess {
  readonly child: ChildProcess
  /** Everything it has said so far, on stdout and stderr. */
  output(): string
  /** Waits for it to end by itself. */
  ended(): Promise<number | null>
  /** Sends the signal and waits for the end; null when a signal ended it. */
  end(signal: NodeJS.Signals, mostMs?: number): Promise<number | null>
}

/**
 * The real agent as its own process.
 *
 * @param settings  `REMORA_…` variables: the only ones it gets
 * @param user      uid and gid to run as; needs root
 * @param through   a command that becomes the agent: what follows it is the agent's own command
 */
export function startAgent(
  settings: Readonly<Record<string, string>>,
  user?: number,
  through: readonly string[] = [],
): AgentProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('REMORA_'))
  const [command, ...args] = [...through, process.execPath, main, 'run']
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(user !== undefined && { uid: user, gid: user }),
    env: { ...Object.fromEntries(inherited), REMORA_ADMIN_PORT: '0', ...settings },
  })
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = once(child, 'exit')
  const killWithTest = () => child.kill('SIGKILL')
  process.once('exit', killWithTest)
  return {
    child,
    output: () => Buffer.concat(chunks).toString('utf8'),
    async ended() {
      await ended
      return child.exitCode
    },
    async end(signal, mostMs = 60_000) {
      child.kill(signal)
      const timer = setTimeout(() => child.kill('SIGKILL'), mostMs)
      await ended
      clearTimeout(timer)
      process.off('exit', killWithTest)
      return child.exitCode
    },
  }
}
