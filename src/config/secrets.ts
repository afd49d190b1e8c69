/** The last line of defence: what a person reads about the settings goes through here, whoever wrote the message. */

/** Shorter ones are not looked for: they would be found in plain words, and what is left of those would say more. */
const secretCharactersMin = 6

export const mask = '********'

/** Finds and hides known secrets in texts. Only what is known to be one is hidden: the texts of secret settings, and passwords in URLs. */
export class Secrets {
  readonly #known = new Set<string>()

  add(secret: string): void {
    for (const form of [secret, JSON.stringify(secret).slice(1, -1)]) {
      if (form.length >= secretCharactersMin) this.#known.add(form)
    }
  }

  /** The passwords in a list of URLs. A password may have an @ or a comma in it, so every reading of the list counts. */
  addFromUrls(text: string): void {
    for (const part of [text, ...text.split(',')]) {
      const [, credentials = ''] = /:\/\/[^:]*:(.*)@/s.exec(part) ?? []
      this.add(credentials)
      this.add(credentials.split('@')[0] ?? '')
    }
  }

  isIn(text: string): boolean {
    return [...this.#known].some((secret) => text.includes(secret))
  }

  hide(text: string): string {
    // Longest first, or the rest of a secret that begins with another would stay.
    const longestFirst = [...this.#known].toSorted((one, other) => other.length - one.length)
    return longestFirst.reduce((hidden, secret) => hidden.replaceAll(secret, mask), text)
  }
}
