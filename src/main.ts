#!/usr/bin/env node
import { messageOf, RemoraError } from './base/errors.ts'

const usage = `remora [COMMAND]

  run       ship logs until told to stop (the default)
  check     what would run, before it runs: settings, files, memory, Elasticsearch
  config    the settings in effect; --reference explains all of them
  demo      see it work in a minute, without any set-up
  --version, --help

Settings are environment variables; \`remora config --reference\` lists them.
`

/** Each command is loaded only when it is asked for: the agent carries no demo in its memory. */
async function main(argv: readonly string[]): Promise<number> {
  const [command = 'run', ...rest] = argv
  const write = (text: string) => void process.stdout.write(text)
  switch (command) {
    case 'run':
      return (await import('./commands/run.ts')).runCommand(process.env)
    case 'config':
      return (await import('./commands/config.ts')).configCommand(rest, process.env, write)
    case 'check':
      return (await import('./commands/check.ts')).checkCommand(process.env, write)
    case 'demo':
      return (await import('./commands/demo.ts')).demoCommand(rest, process.env)
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
