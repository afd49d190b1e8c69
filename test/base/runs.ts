/** How often a property is tried: `SOAK=100 npx vitest run test/encode` tries a hundred times as often. */
export function runs(count: number): { numRuns: number } {
  return { numRuns: Math.max(1, Math.round(count * Number(process.env['SOAK'] ?? 1))) }
}
