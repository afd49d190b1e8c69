/** In `/proc/self/mountinfo` a space is `\\040`, and so on. */
const escaped = /\\([0-7]{3})/g

/**
 * The mount point that a real path lies in. Pure: the text of `/proc/self/mountinfo` in. Source: `proc_pid_mountinfo(5)`;
 * the fifth field is the mount point.
 *
 * @returns the path itself where it is in the root file system, for that is nobody's volume
 */
export function mountOf(mountinfo: string, path: string): string {
  let longest = '/'
  for (const line of mountinfo.split('\n')) {
    const field = line.split(' ', 5)[4]
    if (field === undefined) continue
    const point = field.replaceAll(escaped, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
    const holds = path === point || path.startsWith(`${point}/`)
    if (holds && point.length > longest.length) longest = point
  }
  return longest === '/' ? path : longest
}
