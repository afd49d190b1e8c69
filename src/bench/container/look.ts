import { messageOf } from '../../base/errors.ts'
import { ownerScope } from '../machine/owner.ts'
import { outputOf } from '../machine/process.ts'
import { startTicksOf } from '../machine/procfs.ts'
import { abandonedOf, buildText, type Engine, type EngineName, label, type Owner } from './engine.ts'

/** A container can be made of this image, or why none. */
export type Containers =
  | { readonly available: true; readonly engine: Engine; readonly image: string }
  | { readonly available: false; readonly reason: string }

export const imageUsual = 'remora'

const answerMsMax = 15_000
const removeMsMax = 30_000

/** How an engine says that its users are not the machine's. */
const rootlessQuestions: Readonly<Record<EngineName, { readonly format: string; readonly yes: RegExp }>> = {
  podman: { format: '{{.Host.Security.Rootless}}', yes: /true/ },
  docker: { format: '{{.SecurityOptions}}', yes: /name=rootless/ },
}

/** An engine on PATH that answers and has the image: podman, else docker. */
export async function containersHere(image = imageUsual): Promise<Containers> {
  const reasons: string[] = []
  for (const name of ['podman', 'docker'] as const) {
    const { format, yes } = rootlessQuestions[name]
    let isRootless: boolean
    try {
      isRootless = yes.test(await outputOf(name, ['info', '--format', format], answerMsMax))
    } catch (error) {
      reasons.push(isMissing(error) ? `there is no ${name}` : `${name} does not answer: ${shortly(error)}`)
      continue
    }
    try {
      await outputOf(name, ['image', 'inspect', '--format', '{{.Id}}', image], answerMsMax)
      return { available: true, engine: { name, isRootless }, image }
    } catch {
      reasons.push(`${name} has no image ${image}: build it with ${buildText(name, image)}, or name one with --image`)
    }
  }
  return { available: false, reason: reasons.join('; ') }
}

function isMissing(error: unknown): boolean {
  return /\bENOENT\b/.test(messageOf(error))
}

/** The last line of what it says: an engine's warnings come first. */
function shortly(error: unknown): string {
  return messageOf(error, 2_000).trim().split('\n').at(-1)!.slice(0, 300)
}

export function ownerHere(): Owner {
  return { pid: process.pid, startTicks: startTicksOf(process.pid), scope: ownerScope() }
}

/** Containers of a bench that was killed, and so could not remove them. Those that stay do no harm: they are found again. */
export async function removeAbandoned({ name }: Pick<Engine, 'name'>): Promise<void> {
  try {
    const filter = ['--filter', `label=${label}=${ownerScope()}`, '--format', '{{.Names}}']
    const names = (await outputOf(name, ['ps', '--all', ...filter], answerMsMax)).split('\n')
    const abandoned = abandonedOf(names, startTicksOf)
    if (abandoned.length > 0) await outputOf(name, ['rm', '--force', ...abandoned], removeMsMax)
  } catch {
    // The engine is busy, or another bench has been quicker.
  }
}
