/**
 * What V8, Node and the allocator read only when they start. A young generation of 1 MiB, for there is little garbage; an old
 * one that fits the container; one arena for malloc.
 */
const mib = 1024 * 1024

/** Above this limit nobody counts the optimizing compilers' working memory, which malloc keeps: 5 to 15 MiB. */
const roomyBytes = 160 * mib
/** Up to this one it must be even less. */
const smallBytes = 56 * mib

/**
 * @param limitBytes  memory limit of the container; Infinity for none
 * @returns           options for node's command line, measured by `npm run bench:raw -- --limits`: see ARCHITECTURE.md
 */
export function nodeFlags(limitBytes: number): string[] {
  // Memory that is given back is given back by the collector, which is told when that is wanted.
  // And no signal of another process opens a debugger's port, which would be the application's to use.
  const flags = ['--max-semi-space-size=1', '--expose-gc', '--disable-sigusr1']
  // What may live there: 15 MiB under full load, 41 with ten thousand files.
  if (limitBytes <= 1024 * mib) flags.push(`--max-old-space-size=${Math.round(Math.max(26, 0.5 * (limitBytes / mib)))}`)
  if (limitBytes <= roomyBytes) {
    // Garbage is collected when so much of what lives has been added: else half of that limit lies about as garbage.
    flags.push('--heap-growing-percent=30')
    // The middle one of the compilers makes 8 to 10 % of the CPU good, and takes 5 to 10 MiB.
    flags.push('--no-maglev')
  }
  if (limitBytes <= smallBytes) flags.push('--max-optimized-bytecode-size=2000')
  return flags
}

/**
 * What malloc and Node read from the environment; a user's own values win. Left alone both thresholds grow with each large piece
 * that is freed, and so does what is never given back (mallopt(3), M_MMAP_THRESHOLD). At 32 KiB the compilers' own pieces go
 * back at once; in a small container these come and go so often that it costs 7 % of the speed, and only larger ones do.
 *
 * @param limitBytes  memory limit of the container; Infinity for none
 */
export function nodeEnvironment(limitBytes: number): Readonly<Record<string, string>> {
  return {
    MALLOC_ARENA_MAX: '1',
    MALLOC_MMAP_THRESHOLD_: String((limitBytes <= roomyBytes ? 40 : 32) * 1024),
    MALLOC_TRIM_THRESHOLD_: String(64 * 1024),
  }
}
