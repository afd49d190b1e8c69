#!/usr/bin/env node
import { fileURLToPath } from 'node:url'
import { codeOf, messageOf, RemoraError } from './base/errors.ts'
import { restartWithFlags } from './base/restart.ts'
import { listenForSignals } from './commands/signals.ts'

const usage = `remora [COMMAND]

  run       ship logs until told to stop (the default)
  check     what would run, before it runs: settings, files, memory, Elasticsearch
  setup     index templates and a lifecycle in Elasticsearch; --dry-run shows them
  config    the settings in effect; --reference explains all of them
  inspect   what the state directory holds: how far each file is shipped; \`inspect dead-letters\`: what was refused
  replay    sends dead letters again, once what refused them is mended
  demo      see it work in a minute, without any set-up
  bench     how much it carries inside your limits: rates, latency, memory, outages; --short in three minutes
  --version, --help

Settings are environment variables; \`remora config --reference\` lists them.
`

const restart = () => restartWithFlags(fileURLToPath(new URL('..', import.meta.url)), fileURLToPath(import.meta.url))

async function runCommand(): Promise<number> {
  const signals = listenForSignals()
  return (await import('./commands/run.ts')).runCommand(process.env, signals)
}

async function replayCommand(argv: readonly string[]): Promise<number> {
  const signals = listenForSignals()
  return (await import('./commands/replay.ts')).replayCommand(argv, process.env, write, signals)
}

const write = (text: string): void => void process.stdout.write(text)

async function benchCommand(argv: readonly string[]): Promise<number> {
  const signals = listenForSignals()
  return (await import('./commands/bench.ts')).benchCommand(argv, process.env, write, signals)
}

/** `| head` has seen enough: what is under way is finished all the same. */
function outliveReader(): void {
  process.stdout.on('error', (error) => {
    if (codeOf(error) !== 'EPIPE') throw error
  })
}

/** Each command is loaded only when it is asked for: the agent carries no demo in its memory. */
async function main(argv: readonly string[]): Promise<number> {
  const [command = 'run', ...rest] = argv
  if (command !== 'run') outliveReader()
  switch (command) {
    case 'run':
      restart()
      return runCommand()
    case 'config':
      return (await import('./commands/config.ts')).configCommand(rest, process.env, write)
    case 'check':
      restart()
      return (await import('./commands/check.ts')).checkCommand(rest, process.env, write)
    case 'setup':
      return (await import('./commands/setup.ts')).setupCommand(rest, process.env, write)
    case 'inspect':
      restart()
      return (await import('./commands/inspect.ts')).inspectCommand(rest, process.env, write)
    case 'replay':
      restart()
      return replayCommand(rest)
    case 'demo':
      return (await import('./commands/demo.ts')).demoCommand(rest, process.env)
    case 'bench':
      return benchCommand(rest)
    case '--version':
      write(`${(await import('./version.ts')).version}\n`)
      return 0
    case '--help':
    case 'help':
      write(usage)
      return 0
    default:
      process.stderr.write(`remora does not know the command ${JSON.stringify(command)}.\n\n${usage}`)
      return 2
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // A setting, a file or a server: said with its way out. Anything else is a fault of ours, with its stack.
  if (error instanceof RemoraError) process.stderr.write(`${error.message}\n  ${error.wayOut}\n`)
  else process.stderr.write(`remora: ${error instanceof Error ? error.stack : messageOf(error)}\n`)
  process.exitCode = 1
}
