import { abilityHere } from '../agent/place.ts'
import { remoraProgram } from '../agent/remora.ts'
import { containersHere, removeAbandoned } from '../container/look.ts'
import { imageProgram } from '../container/program.ts'
import type { Program } from '../program.ts'
import type { Enforcement, Limits } from '../types.ts'
import { type Ability, enforcementOf, type EnforcementKind, type Held } from './choose.ts'

export interface HoldOptions {
  /** This way or not at all. */
  readonly enforce: EnforcementKind | undefined
  /** Of Remora: who names one means a container. */
  readonly image: string | undefined
}

/**
 * How the limits come to hold on this machine. An engine is asked only where one is needed, for that takes up to a second.
 * @throws RemoraError where they cannot as they were asked to
 */
export async function holdHere(
  wanted: Limits,
  { enforce, image }: HoldOptions,
): Promise<{ readonly held: Held; readonly ability: Ability }> {
  const able = abilityHere()
  const asked = enforce ?? (image === undefined ? undefined : 'container')
  const isNeeded = asked === 'container' || (asked === undefined && !able.cgroups.available)
  const ability = isNeeded ? { ...able, containers: await containersHere(image) } : able
  const held = enforcementOf(wanted, ability, asked)
  if (held.enforcement.kind === 'container') await removeAbandoned({ name: held.enforcement.engine })
  return { held, ability }
}

/** Remora as it is started under such limits: in a container that of its image. */
export function programUnder(enforcement: Enforcement): Program {
  return enforcement.kind === 'container' ? imageProgram(enforcement) : remoraProgram()
}
