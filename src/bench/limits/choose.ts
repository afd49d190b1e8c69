import os from 'node:os'
import type { CgroupFiles } from '../../base/cgroup.ts'
import { RemoraError } from '../../base/errors.ts'
import { LoadReader } from '../../base/load.ts'
import { memoryLimit } from '../../base/memory.ts'
import { formatBytes, type Parsed } from '../../base/units.ts'
import type { Containers } from '../container/look.ts'
import type { Enforcement, Limits } from '../types.ts'
import { sidecarIn } from './manifest.ts'
import { readManifest } from './manifest-files.ts'
import { limitsText, parseCpus, parseMemory } from './quantity.ts'

/** What is to be measured under, and why. */
export interface Wanted {
  readonly limits: Limits
  /** For a person: where they come from. */
  readonly origin: string
  readonly settings: Readonly<Record<string, string>>
}

export interface LimitOptions {
  readonly cpu: string | undefined
  readonly memory: string | undefined
  readonly manifest: string | undefined
}

/** As manifests/base gives the sidecar. */
const defaults: Limits = { cpus: 0.2, memoryBytes: 64 * 2 ** 20 }
const unlimited: Limits = { cpus: undefined, memoryBytes: undefined }

/**
 * From `--cpu` and `--memory`, else the manifest (each of the two options goes before its figure), else the group that the
 * bench runs in, else those of the example manifest.
 * @throws RemoraError
 */
export function wantedLimits(options: LimitOptions, files?: CgroupFiles): Wanted {
  const cpus = readOption('--cpu', options.cpu, parseCpus)
  const memoryBytes = readOption('--memory', options.memory, parseMemory)
  const given = [cpus === undefined ? [] : ['--cpu'], memoryBytes === undefined ? [] : ['--memory']].flat()
  if (options.manifest !== undefined) {
    const sidecar = sidecarIn(readManifest(options.manifest), options.manifest)
    const limits = { cpus: cpus ?? sidecar.limits.cpus, memoryBytes: memoryBytes ?? sidecar.limits.memoryBytes }
    return { limits, origin: [sidecar.origin, ...given].join(' and '), settings: sidecar.settings }
  }
  if (given.length > 0) return { limits: { cpus, memoryBytes }, origin: given.join(' and '), settings: {} }
  const own = ownLimits(files)
  if (own.cpus !== undefined || own.memoryBytes !== undefined) {
    return { limits: own, origin: 'the cgroup that the bench runs in', settings: {} }
  }
  return { limits: defaults, origin: 'as in manifests/base, for none were given', settings: {} }
}

/** What holds for the bench itself. */
export function ownLimits(files?: CgroupFiles): Limits {
  const memory = memoryLimit(files)
  const cpus = new LoadReader(files).read().throttle?.quotaCores
  return { cpus, memoryBytes: memory.bytes < os.totalmem() ? memory.bytes : undefined }
}

/** What a machine can do about limits. */
export interface Ability {
  /** Groups can be made; else why not. */
  readonly cgroups:
    | { readonly available: true; readonly version: 1 | 2; readonly isSwapFree?: boolean }
    | { readonly available: false; readonly reason: string }
  /** Undefined: nobody has looked for an engine, for it was not asked for. */
  readonly containers?: Containers | undefined
  readonly own: Limits
  readonly ownVersion: 1 | 2
}

export interface Held {
  readonly enforcement: Enforcement
  /** What holds. */
  readonly limits: Limits
  /** What a person must know of it; empty: nothing. */
  readonly warning: string
}

/** In the order in which they are tried. */
export const enforcements = ['cgroup', 'container', 'own', 'none'] as const
export type EnforcementKind = (typeof enforcements)[number]
/** Where the limits are from that hold. */
export function originOf(wanted: Wanted, { enforcement, limits }: Held): string {
  const isOther = limits.cpus !== wanted.limits.cpus || limits.memoryBytes !== wanted.limits.memoryBytes
  return enforcement.kind === 'own' && isOther ? 'the group that the bench runs in' : wanted.origin
}

const swapWarning =
  'the machine has swap, and its kernel does not count it for groups: what the agent has beyond its memory limit is swapped ' +
  'out, and no figure shows it. Turn it off (swapoff -a), or have it counted (swapaccount=1 when the kernel starts)'

/** Three processes beside the agent. */
const sharedBytesMin = 256 * 2 ** 20
const inContainer = 'let it make groups, as root: docker run --rm --user 0 --privileged IMAGE bench'

/**
 * How the limits come to hold here.
 * @param asked  this way or not at all
 * @throws RemoraError where that cannot be
 */
export function enforcementOf(wanted: Limits, ability: Ability, asked?: EnforcementKind): Held {
  const { cgroups, containers, own } = ability
  const mayBe = (kind: EnforcementKind) => asked === undefined || asked === kind
  if (mayBe('cgroup')) {
    if (cgroups.available) {
      const warning = cgroups.isSwapFree === true && wanted.memoryBytes !== undefined ? swapWarning : ''
      return { enforcement: { kind: 'cgroup', version: cgroups.version }, limits: wanted, warning }
    }
    if (asked === 'cgroup') throw cannotBe(asked, `the bench may make no group here: ${cgroups.reason}`, inContainer)
  }
  if (mayBe('container')) {
    if (containers?.available === true) {
      const { engine, image } = containers
      const enforcement = { kind: 'container', engine: engine.name, image, isRootless: engine.isRootless } as const
      return { enforcement, limits: wanted, warning: '' }
    }
    if (asked === 'container') {
      const reason = containers?.reason ?? 'nobody has looked for an engine'
      throw cannotBe(asked, reason, 'it takes podman or docker on PATH, and an image of Remora there')
    }
  }
  const reason = asked === undefined ? withoutOne(ability) : `--enforce ${asked}`
  if (mayBe('own')) {
    if (own.cpus !== undefined || own.memoryBytes !== undefined) return sharedBy(wanted, ability, reason)
    if (asked === 'own') {
      throw cannotBe(asked, 'nothing limits the group that the bench runs in', 'start the bench in a group with limits')
    }
  }
  return {
    enforcement: { kind: 'none', reason },
    limits: unlimited,
    warning: `NOTHING LIMITS THE AGENT, and all figures are unlimited: ${reason}${asked === undefined ? `. To have limits, ${inContainer}` : ''}`,
  }
}

/** Why the agent has nothing of its own. */
function withoutOne({ cgroups, containers }: Ability): string {
  const reasons = [
    cgroups.available ? '' : `no group of its own: ${cgroups.reason}`,
    containers === undefined || containers.available ? '' : `no container: ${containers.reason}`,
  ]
  return reasons.filter((reason) => reason !== '').join('; ')
}

function sharedBy(wanted: Limits, { own, ownVersion }: Ability, reason: string): Held {
  if (own.memoryBytes !== undefined && own.memoryBytes < sharedBytesMin) {
    throw new RemoraError(
      'GROUP_TOO_SMALL',
      `the agent would share the group that the bench runs in (${reason}), and that one has ${formatBytes(own.memoryBytes)}: too little for the agent together with the writer, the server and the bench`,
      `give the bench at least ${formatBytes(sharedBytesMin)}, or ${inContainer}`,
    )
  }
  const differs = own.cpus !== wanted.cpus || own.memoryBytes !== wanted.memoryBytes
  const instead = differs ? `, not ${limitsText(wanted)} as asked for` : ''
  return {
    enforcement: { kind: 'own', version: ownVersion },
    limits: own,
    warning:
      `the group that the bench runs in limits the agent: ${limitsText(own)}${instead}. The writer, the server and the bench ` +
      `share it with the agent, so rates come out lower than the agent's own, and memory higher (${reason})`,
  }
}

function cannotBe(asked: EnforcementKind, reason: string, wayOut: string): RemoraError {
  return new RemoraError('ENFORCEMENT', `--enforce ${asked}: ${reason}`, wayOut)
}

function readOption(
  name: string,
  text: string | undefined,
  parse: (text: string) => Parsed<number>,
): number | undefined {
  if (text === undefined) return undefined
  const parsed = parse(text)
  if (!parsed.ok) throw new RemoraError('OPTION', `${name}: ${parsed.message}`, parsed.wayOut)
  return parsed.value
}
