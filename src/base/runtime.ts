/**
 * What V8, Node and the allocator read only when they start. A young generation of 1 MiB, for there is little garbage;
 * an old one that fits the container; one arena for malloc; and compiled code from a cache, which halves the CPU of a
 * start and saves 20 MiB, since the stripper of types is not loaded.
 */
const mib = 1024 * 1024

/** Where the two optimizing compilers' working memory (18 MiB at their peak) would be what does not fit. */
const smallBytes = 56 * mib

/**
 * @param limitBytes  memory limit of the container; Infinity for none
 * @returns           options for node's command line, measured by `npm run bench -- --limits`: see ARCHITECTURE.md
 */
export function nodeFlags(limitBytes: number): string[] {
  const flags = ['--max-semi-space-size=1']
  // Too large, and garbage fills the container before it is collected; full load lives in 18, and at 22 it collects more than it works.
  if (limitBytes <= 1024 * mib) flags.push(`--max-old-space-size=${Math.round(Math.max(26, 0.5 * (limitBytes / mib)))}`)
  if (limitBytes <= smallBytes) flags.push('--no-maglev', '--max-optimized-bytecode-size=2000')
  return flags
}

/** @param codeCache  directory, made when missing; a user's own NODE_COMPILE_CACHE wins */
export function nodeEnvironment(codeCache: string): Record<string, string> {
  return { NODE_COMPILE_CACHE: codeCache, MALLOC_ARENA_MAX: '1' }
}
