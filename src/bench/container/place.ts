import { type ChildProcess, spawn, type SpawnOptions, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemCgroupFiles } from '../../base/cgroup.ts'
import { sleep, systemClock } from '../../base/clock.ts'
import { messageOf, RemoraError } from '../../base/errors.ts'
import type { Place } from '../agent/place.ts'
import { nothingUsed as nothing, type Use } from '../agent/use.ts'
import { limitsText } from '../limits/quantity.ts'
import { groupCpuOf, sampleOf, throttledMsOf } from '../machine/cgroup-files.ts'
import { guardBy } from '../../base/guard.ts'
import { outputOf } from '../machine/process.ts'
import type { Limits } from '../types.ts'
import { containerName, type Engine, isGone, runArgs } from './engine.ts'
import { areHeld, type ContainerGroup, containerGroupOf, limitsOfGroup } from './group.ts'
import { ownerHere } from './look.ts'

/** What the agent reads and what it writes: the same paths inside. */
export interface Directories {
  readonly logs: string
  readonly own: string
}

interface Running {
  readonly name: string
  readonly child: ChildProcess
  /** Of its first process, on this machine. */
  pid: number | undefined
  group: ContainerGroup | undefined
  isKilled: boolean
  /** What ended it was asked for. */
  isAsked: boolean
}

const findMsMax = 30_000
const findEveryMs = 50
const answerMsMax = 10_000
const removeMsMax = 30_000
/** A container whose first process was killed ends so. */
const killedCode = 137
/** Settings that name files, which have to be seen inside. */
const isFile = /_FILE$|^NODE_EXTRA_CA_CERTS$|^SSL_CERT_DIR$/

let nextNumber = 1

/** A container for each start, one after the other; what they have used is added up. Its commands are images. */
export class ContainerPlace implements Place {
  readonly #engine: Engine
  readonly #limits: Limits
  readonly #directories: Directories
  readonly #owner = ownerHere()
  readonly #names: string[] = []
  readonly #atExit = () => this.#leave()
  #running: Running | undefined
  #found: Promise<void> = Promise.resolve()
  /** Of the containers before this one, and of this one. */
  #before = nothing
  #now = nothing

  constructor(engine: Engine, limits: Limits, directories: Directories) {
    this.#engine = engine
    this.#limits = limits
    this.#directories = directories
    process.prependOnceListener('exit', this.#atExit)
  }

  spawn(image: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    const name = containerName(this.#owner, nextNumber++)
    const { variables, files } = environmentOf(options.env ?? {})
    const spec = {
      name,
      owner: this.#owner,
      image,
      args,
      limits: this.#limits,
      user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      variables: Object.keys(variables),
      readOnly: [this.#directories.logs, ...files],
      writable: [this.#directories.own],
    }
    this.#names.push(name)
    // The engine needs its own environment, of which nothing gets into the container.
    const env = { ...process.env, ...variables }
    const child = spawn(this.#engine.name, runArgs(this.#engine, spec), { ...options, env })
    this.#before = this.use()
    this.#now = nothing
    const running: Running = { name, child, pid: undefined, group: undefined, isKilled: false, isAsked: false }
    this.#running = running
    this.#found = this.#find(running)
    // It is thrown where it is waited for.
    this.#found.catch(() => undefined)
    return child
  }

  /** Resolves when its group is known and has the limits, or when it has ended. @throws RemoraError */
  settled(): Promise<void> {
    return this.#found
  }

  async #find(running: Running): Promise<void> {
    const untilMs = systemClock.monotonicMs() + findMsMax
    const hasEnded = () => running.child.exitCode !== null || running.child.signalCode !== null
    let why = 'its engine does not tell its process'
    const isOver = new AbortController().signal
    while (!hasEnded() && systemClock.monotonicMs() < untilMs) {
      const { pid, id } = await this.#ask(running.name)
      const group = pid > 0 ? containerGroupOf(systemCgroupFiles, pid, id) : undefined
      if (group !== undefined) {
        this.#check(group)
        running.pid = pid
        running.group = group
        return
      }
      if (pid > 0) why = `the files of its cgroup cannot be read (process ${pid})`
      await sleep(systemClock, findEveryMs, isOver)
    }
    if (hasEnded()) return
    throw new RemoraError(
      'CONTAINER_UNSEEN',
      `a container of ${this.#engine.name} runs, but what it uses cannot be seen: ${why}`,
      'the engine has to run on this machine, and outside of other containers; or limit the agent otherwise: --enforce own',
    )
  }

  async #ask(name: string): Promise<{ readonly pid: number; readonly id: string }> {
    try {
      const format = '{{.State.Pid}} {{.Id}}'
      const told = await outputOf(this.#engine.name, ['inspect', '--format', format, name], answerMsMax)
      const [pid, id = ''] = told.trim().split(' ')
      return { pid: Number(pid), id }
    } catch {
      // It is not there yet, or no more.
      return { pid: 0, id: '' }
    }
  }

  #check(group: ContainerGroup): void {
    const found = limitsOfGroup(systemCgroupFiles, group)
    if (areHeld(this.#limits, found)) return
    throw new RemoraError(
      'CONTAINER_UNLIMITED',
      `${this.#engine.name} was asked for a container with ${limitsText(this.#limits)}, and made one with ${limitsText(found)}`,
      this.#engine.isRootless
        ? 'without root it needs cgroup v2 with the cpu and memory controllers delegated to you; or run the bench as root'
        : `see what ${this.#engine.name} says when it is given --cpu-quota and --memory`,
    )
  }

  use(): Use {
    const running = this.#running
    if (running?.group !== undefined) this.#look(running.group)
    if (running !== undefined && running.child.exitCode === killedCode && !running.isAsked) this.#askWhy(running)
    return sumOf(this.#before, this.#now)
  }

  #look({ version, memoryFolder, cpuFolder, accountFolder }: ContainerGroup): void {
    try {
      const { usedBytes, oomKills } = sampleOf(version, readIn(memoryFolder))
      const cpu = groupCpuOf(version, readIn(accountFolder)) ?? this.#now.cpu
      this.#now = { usedBytes, oomKills, cpu, throttledMs: throttledMsOf(version, readIn(cpuFolder)) }
    } catch {
      // It has ended, and its group with it: what was seen last stands.
    }
  }

  /** Its group went with it, and what that has counted; the engine has seen it. Once, when nothing is measured any more. */
  #askWhy(running: Running): void {
    running.isAsked = true
    if (running.isKilled || this.#now.oomKills > 0) return
    const args = ['inspect', '--format', '{{.State.OOMKilled}}', running.name]
    const { stdout } = spawnSync(this.#engine.name, args, { encoding: 'utf8', timeout: answerMsMax })
    if (stdout?.trim() === 'true') this.#now = { ...this.#now, oomKills: 1 }
  }

  /** To its first process, as the engine would, and without waiting for one. */
  signal(child: ChildProcess, signal: NodeJS.Signals): void {
    const running = this.#running
    if (running?.child !== child || child.exitCode !== null || child.signalCode !== null) return
    running.isKilled ||= signal === 'SIGKILL'
    try {
      if (running.pid !== undefined) {
        process.kill(running.pid, signal)
        return
      }
    } catch {
      // It is another user's: the engine may.
    }
    const args = ['kill', '--signal', signal, running.name]
    spawn(this.#engine.name, args, { stdio: 'ignore', detached: true })
      .once('error', () => undefined)
      .unref()
  }

  guard(): () => void {
    return guardBy('"$0" rm --force "$1"', [this.#engine.name, this.#running!.name])
  }

  async close(): Promise<void> {
    process.off('exit', this.#atExit)
    const { name: engine } = this.#engine
    const left: string[] = []
    let told = ''
    // Each alone: with one that was never made, an engine may remove none.
    for (const name of this.#names.splice(0)) {
      try {
        await outputOf(engine, ['rm', '--force', name], removeMsMax)
      } catch (error) {
        const complaint = messageOf(error, 2_000)
        if (isGone(complaint)) continue
        left.push(name)
        told = complaint
      }
    }
    if (left.length === 0) return
    throw new RemoraError(
      'CONTAINER_LEFT',
      `${engine} could not remove the containers ${left.join(', ')}: ${told}`,
      `the next bench tries again; or ${engine} rm --force ${left.join(' ')}`,
    )
  }

  /** The bench ends: the engine goes on by itself. */
  #leave(): void {
    if (this.#names.length === 0) return
    const args = ['rm', '--force', ...this.#names]
    spawn(this.#engine.name, args, { stdio: 'ignore', detached: true })
      .once('error', () => undefined)
      .unref()
  }
}

function readIn(folder: string): (name: string) => string {
  return (name) => readFileSync(`${folder}/${name}`, 'utf8')
}

function sumOf(before: Use, now: Use): Use {
  return {
    usedBytes: now.usedBytes,
    cpu: { userUs: before.cpu.userUs + now.cpu.userUs, systemUs: before.cpu.systemUs + now.cpu.systemUs },
    throttledMs: before.throttledMs + now.throttledMs,
    oomKills: before.oomKills + now.oomKills,
  }
}

/** What the agent is given, without the PATH and HOME of here, and the files that it names. */
export function environmentOf(given: NodeJS.ProcessEnv): {
  readonly variables: Record<string, string>
  readonly files: string[]
} {
  const variables: Record<string, string> = {}
  const files = new Set<string>()
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || ['PATH', 'HOME', 'TMPDIR', 'LANG'].includes(name)) continue
    const isPath = isFile.test(name) && value !== ''
    variables[name] = isPath ? resolve(value) : value
    if (isPath) files.add(variables[name])
  }
  return { variables, files: [...files] }
}
