import { printable } from '../base/printable.ts'
import { Secrets } from '../config/secrets.ts'
import type { Credentials } from '../connect/access.ts'

/** Keeps secrets out of what is printed, in every form that they are sent in. */
export class Discretion {
  readonly #forms: ReadonlySet<string>
  readonly #secrets = new Secrets()

  /** @param others  further secrets, such as the password of a proxy */
  constructor({ apiKey, bearerToken, username, password }: Credentials, others: readonly string[] = []) {
    const forms = new Set<string>(others)
    if (bearerToken !== undefined) forms.add(bearerToken).add(encodeURIComponent(bearerToken))
    if (password !== undefined) {
      forms.add(password).add(encodeURIComponent(password))
      forms.add(base64(password)).add(base64(`${username ?? ''}:${password}`))
    }
    if (apiKey !== undefined) {
      const decoded = Buffer.from(apiKey, 'base64').toString('utf8')
      forms.add(apiKey).add(encodeURIComponent(apiKey)).add(decoded)
      forms.add(decoded.slice(decoded.indexOf(':') + 1))
    }
    forms.delete('')
    this.#forms = forms
    for (const form of forms) this.#secrets.add(form)
  }

  /** For Remora's own words, which may repeat a setting or a path: masks what is known to be secret. */
  hide(text: string): string {
    return this.#secrets.hide(text)
  }

  /**
   * For the words of whoever answered: printable, on one line, short, and not at all when a secret is in them,
   * however short it is.
   */
  quote(text: string, charactersMax = 160): string {
    for (const form of this.#forms) {
      if (text.includes(form) || text.includes(JSON.stringify(form).slice(1, -1)))
        return '(not shown: a secret is in it)'
    }
    const line = printable(text.replaceAll(/\s+/g, ' ').trim())
    return line.length > charactersMax ? `${line.slice(0, charactersMax)}…` : line
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
