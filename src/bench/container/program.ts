import { messageOf, RemoraError } from '../../base/errors.ts'
import { outputOf } from '../machine/process.ts'
import type { Program } from '../program.ts'
import { remoraProgram } from '../agent/remora.ts'
import type { Enforcement } from '../types.ts'

const answerMsMax = 30_000

/** The Remora of an image: its version is what is measured, not the one that measures. */
export function imageProgram({ engine, image }: Extract<Enforcement, { kind: 'container' }>): Program {
  const usual = remoraProgram()
  return {
    name: usual.name,
    async version() {
      const told = await versionOf(engine, image)
      if (/^\d+\.\d+\.\d+\S*$/.test(told)) return told
      throw new RemoraError(
        'NOT_REMORA',
        `${engine}'s image ${image} is no Remora: asked for its version, it says ${JSON.stringify(told.slice(0, 200))}`,
        'name another one with --image, or limit the agent otherwise: --enforce own',
      )
    },
    command: async (settings) => ({ ...(await usual.command(settings)), command: image, args: ['run'] }),
  }
}

async function versionOf(engine: string, image: string): Promise<string> {
  const args = ['run', '--rm', '--pull=never', '--network', 'none', image, '--version']
  try {
    return (await outputOf(engine, args, answerMsMax)).trim()
  } catch (error) {
    return messageOf(error, 200)
  }
}
