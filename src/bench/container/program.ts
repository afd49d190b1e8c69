import { messageOf, RemoraError } from '../../base/errors.ts'
import { outputOf } from '../machine/process.ts'
import type { Program } from '../program.ts'
import { remoraProgram } from '../agent/remora.ts'
import type { Enforcement } from '../types.ts'
import { containerName, type Engine, runArgs } from './engine.ts'
import { ownerHere } from './look.ts'

const answerMsMax = 30_000
const removeMsMax = 30_000

/** The Remora of an image: its version is what is measured, not the one that measures. */
export function imageProgram({ engine, isRootless, image }: Extract<Enforcement, { kind: 'container' }>): Program {
  const usual = remoraProgram()
  return {
    name: usual.name,
    async version() {
      const told = await versionOf({ name: engine, isRootless }, image)
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

/** In a container that is shut in as the agent's is: an image of that name may be anything. */
async function versionOf(engine: Engine, image: string): Promise<string> {
  const owner = ownerHere()
  const name = containerName(owner, 0)
  const args = runArgs(engine, {
    name,
    owner,
    image,
    args: ['--version'],
    limits: { cpus: 1, memoryBytes: 256 * 2 ** 20 },
    network: 'none',
    user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    variables: [],
    readOnly: [],
    writable: [],
  })
  try {
    return (await outputOf(engine.name, args, answerMsMax)).trim()
  } catch (error) {
    return messageOf(error, 200)
  } finally {
    await outputOf(engine.name, ['rm', '--force', name], removeMsMax).catch(() => undefined)
  }
}
