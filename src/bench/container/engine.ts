import type { Limits } from '../types.ts'

/** Command lines of podman and docker, which take the same words. Sources: podman-run(1), docker reference "docker run". */

export type EngineName = 'podman' | 'docker'

export interface Engine {
  readonly name: EngineName
  /** Its containers' users are not those of the machine. */
  readonly isRootless: boolean
}

/** On all containers that the bench makes; its value is where the numbers of their names count, see `ownerScope`. */
export const label = 'remora-bench'
const prefix = 'remora-bench-'
const cpuPeriodUs = 100_000

/** A process that another one cannot be taken for. Source: proc(5), `starttime`. */
export interface Owner {
  readonly pid: number
  readonly startTicks: number
  /** See `ownerScope`. */
  readonly scope: string
}

/** What is to be run in a container, and under what. */
export interface ContainerSpec {
  readonly name: string
  readonly owner: Owner
  readonly image: string
  readonly args: readonly string[]
  readonly limits: Limits
  /** Else the machine's own. */
  readonly network?: 'none'
  readonly user: { readonly uid: number; readonly gid: number }
  /** Names only: values in the process list could be read by everybody. */
  readonly variables: readonly string[]
  /** Paths that are the same inside. */
  readonly readOnly: readonly string[]
  readonly writable: readonly string[]
}

/**
 * Arguments of the engine, which stays until the container ends, with its exit code.
 *
 * A quota, not `--cpus`, which docker refuses above the processors of the machine. Without `--rm`, for afterwards it is asked
 * whether memory was what ended it. The host's network, because the bench's server listens on the loopback interface.
 */
export function runArgs({ name: engine, isRootless }: Engine, spec: ContainerSpec): string[] {
  const { limits, owner, user, variables } = spec
  // The owner of the directories, seen from inside.
  const { uid, gid } = engine === 'docker' && isRootless ? { uid: 0, gid: 0 } : user
  return [
    'run',
    '--name',
    spec.name,
    `--label=${label}=${owner.scope}`,
    ...(limits.cpus === undefined ? [] : quotaArgs(limits.cpus)),
    // No swap on top.
    ...(limits.memoryBytes === undefined ? [] : memoryArgs(Math.floor(limits.memoryBytes))),
    `--network=${spec.network ?? 'host'}`,
    '--read-only',
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
    // Where SELinux is on, a container may else not read what is mounted.
    '--security-opt=label=disable',
    `--user=${uid}:${gid}`,
    '--pull=never',
    '--log-driver=none',
    '--stop-timeout=0',
    ...(engine === 'podman' ? ['--read-only-tmpfs=false', '--http-proxy=false'] : []),
    ...(engine === 'podman' && isRootless ? ['--userns=keep-id'] : []),
    ...spec.readOnly.flatMap((at) => ['--volume', `${at}:${at}:ro`]),
    ...spec.writable.flatMap((at) => ['--volume', `${at}:${at}`]),
    ...variables.flatMap((variable) => ['--env', variable]),
    spec.image,
    ...spec.args,
  ]
}

function quotaArgs(cpus: number): string[] {
  return [`--cpu-period=${cpuPeriodUs}`, `--cpu-quota=${Math.round(cpus * cpuPeriodUs)}`]
}

function memoryArgs(bytes: number): string[] {
  return [`--memory=${bytes}`, `--memory-swap=${bytes}`]
}

/** Words by which an engine says that a container is gone, or about to be. */
export function isGone(complaint: string): boolean {
  return /no such container|no container with name|removal of container .* is already in progress/i.test(complaint)
}

export function containerName({ pid, startTicks }: Owner, number: number): string {
  return `${prefix}${pid}-${startTicks}-${number}`
}

/** Of containers with our label, those whose bench has ended without having removed them. */
export function abandonedOf(names: readonly string[], startTicksOf: (pid: number) => number): string[] {
  return names.filter((name) => {
    const found = /^remora-bench-(\d+)-(\d+)-\d+$/.exec(name)
    return found !== null && startTicksOf(Number(found[1])) !== Number(found[2])
  })
}

/** `docker build -t remora .`, for the tag that is missing. */
export function buildText(engine: EngineName, image: string): string {
  return `${engine} build -t ${image} . (in a checkout of Remora)`
}
