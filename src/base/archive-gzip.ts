/** What stands at a place where a gzip member may begin. `none`: no member; `cut`: the file ends within its header. */
export type MemberHeader =
  | { readonly kind: 'member'; readonly bytes: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'cut' }

const magic = [0x1f, 0x8b, 8] as const
const fixedBytes = 10
const flags = { headerCheck: 2, extra: 4, name: 8, comment: 16 } as const

export const trailerBytes = 8

/**
 * Finds out how long a member's header is. Source: RFC 1952, section 2.3.
 *
 * @param bytes  what begins there, all that the file has or as much as a header may take
 */
export function memberHeader(bytes: Uint8Array): MemberHeader {
  for (const [index, byte] of magic.entries()) {
    if (index >= bytes.length) return { kind: bytes.length === 0 ? 'none' : 'cut' }
    if (bytes[index] !== byte) return { kind: 'none' }
  }
  if (bytes.length < fixedBytes) return { kind: 'cut' }
  const set = bytes[3]!
  let at = fixedBytes
  if (set & flags.extra) {
    if (at + 2 > bytes.length) return { kind: 'cut' }
    at += 2 + (bytes[at]! | (bytes[at + 1]! << 8))
  }
  for (const text of [flags.name, flags.comment]) {
    if (!(set & text)) continue
    const end = bytes.indexOf(0, at)
    if (at >= bytes.length || end === -1) return { kind: 'cut' }
    at = end + 1
  }
  if (set & flags.headerCheck) at += 2
  return at > bytes.length ? { kind: 'cut' } : { kind: 'member', bytes: at }
}
