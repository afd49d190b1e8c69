import { bundledMain } from './bundle.ts'
import { type CgroupFiles, systemCgroupFiles } from './cgroup.ts'
import { memoryLimit } from './memory.ts'
import { nodeEnvironment, nodeFlags } from './runtime.ts'
import { parseBytes } from './units.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The limit that the flags are chosen by, before any setting is parsed: what is no size is left to `config/` to complain of.
 *
 * @param cgroupBytes  what the kernel allows; Infinity for no limit
 * @param files        whoever reads the file that `REMORA_MEMORY_LIMIT_FILE` names
 */
export function limitAtStart(env: Environment, cgroupBytes: number, files: CgroupFiles): number {
  const file = env['REMORA_MEMORY_LIMIT_FILE']
  const wanted = parseBytes(env['REMORA_MEMORY_LIMIT'] || (file ? (files.read(file) ?? '').trim() : ''))
  return Math.min(cgroupBytes, wanted.ok ? wanted.value : Infinity)
}

/**
 * Replaces the process by itself once, before anything else is loaded, with what Node reads only when it starts: same
 * pid, same signals; and the sources by the bundle that was made of them, if there is one.
 *
 * @param root  of the project
 * @param main  what is run when there is no bundle
 */
export function restartWithFlags(root: string, main: string): void {
  const { execArgv, env } = process
  if (process.execve === undefined || execArgv.some((flag) => flag.startsWith('--max-semi-space-size'))) return
  const limitBytes = limitAtStart(env, memoryLimit().bytes, systemCgroupFiles)
  const flags = nodeFlags(limitBytes)
  const script = bundledMain(root) ?? process.argv[1] ?? main
  process.execve(process.execPath, [process.execPath, ...flags, ...execArgv, script, ...process.argv.slice(2)], {
    ...nodeEnvironment(limitBytes),
    ...Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)),
  })
}
