import { diskError, type Call } from '../kit/agent-files.ts'

/** What disk calls fail with, by the call and the beginning of the path; the test fills it. */
export function breakable() {
  const broken = new Map<string, string>()
  const before = (call: Call, path: string) => {
    for (const [key, code] of broken) {
      const [of, at = ''] = key.split(' ')
      if (call === of && path.startsWith(at)) throw diskError(code, path)
    }
  }
  return { broken, hooks: { before } }
}
