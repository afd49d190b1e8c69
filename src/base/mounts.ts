/** In `/proc/self/mountinfo` a space is `\\040`, and so on. */
const escaped = /\\([0-7]{3})/g

const plain = (field: string) =>
  field.replaceAll(escaped, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

/** Where file systems are mounted, from the text of `/proc/self/mountinfo`. Source: `proc_pid_mountinfo(5)`, the fifth field. */
export function mountPoints(mountinfo: string): string[] {
  return mountinfo.split('\n').flatMap((line) => {
    const field = line.split(' ', 5)[4]
    return field === undefined ? [] : [plain(field)]
  })
}
