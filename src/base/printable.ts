/** What may change what a terminal shows: control characters, line and paragraph separators, direction marks, halves of pairs. */
const unprintable = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu

/** Text from outside, file names too, in a form that cannot play tricks on a terminal. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** Of these JSON itself escapes only those below the space. */
const unprintableInJson = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g

/** The same JSON, in which such characters are escaped as JSON escapes them: they stand in texts only. */
export function printableJson(json: string): string {
  return json.replace(unprintableInJson, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
