import { isIPv4 } from 'node:net'

/**
 * Whose connections are counted together on the admin port. Whoever has one of these addresses has as many as it likes: a
 * container all of loopback, a neighbour often its whole network. Sources: RFC 1122, 3.2.1.3 (127/8); RFC 4291, 2.5.4 (/64).
 *
 * @param address  as `remoteAddress` has it; empty: not known any more
 */
export function neighbourhoodOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (plain.startsWith('127.') || plain === '::1') return 'loopback'
  if (isIPv4(plain)) return plain.slice(0, plain.lastIndexOf('.'))
  const [head = '', tail] = plain.split('::')
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length
  const all = [...groups(head), ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...groups(tail ?? '')]
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

function groups(text: string): string[] {
  return text === '' ? [] : text.split(':')
}
