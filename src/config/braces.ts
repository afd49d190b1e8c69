/** The two constructs of a glob that can hold a comma: alternatives `{a,b}` and character classes `[,]`. */

/** Splits at commas outside braces and classes; undefined when a brace or a bracket has no partner. */
export function splitOutside(text: string): string[] | undefined {
  const pieces: string[] = []
  let [from, depth] = [0, 0]
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '[') at = classEnd(text, at)
    else if (text[at] === '{') depth++
    else if (text[at] === '}') depth--
    else if (text[at] === ',' && depth === 0) {
      pieces.push(text.slice(from, at))
      from = at + 1
    }
    if (depth < 0 || at >= text.length) return undefined
  }
  return depth === 0 ? [...pieces, text.slice(from)] : undefined
}

/** The contents of every `{…}`, outermost first. The glob's braces must be balanced. */
export function braceContents(glob: string): string[] {
  const brace = firstBrace(glob)
  if (brace === undefined) return []
  return [brace.inside, ...braceContents(brace.inside), ...braceContents(brace.after)]
}

/** The contents of every `[…]`. The glob's brackets must be balanced. */
export function classContents(glob: string): string[] {
  const open = glob.indexOf('[')
  if (open < 0) return []
  const close = classEnd(glob, open)
  return [glob.slice(open + 1, close), ...classContents(glob.slice(close + 1))]
}

/**
 * Every glob without braces that the given one stands for, or undefined when there are more than `countMax`: each pair
 * of braces can double their number, and one line of configuration must not cost gigabytes.
 */
export function expandBraces(glob: string, countMax: number): string[] | undefined {
  const brace = firstBrace(glob)
  if (brace === undefined) return [glob]
  const tails = expandBraces(brace.after, countMax)
  const heads: string[] = []
  for (const alternative of splitOutside(brace.inside) ?? []) {
    const expanded = expandBraces(alternative, countMax)
    if (expanded === undefined) return undefined
    heads.push(...expanded)
    if (heads.length > countMax) return undefined
  }
  if (tails === undefined || heads.length * tails.length > countMax) return undefined
  return heads.flatMap((head) => tails.map((tail) => `${brace.before}${head}${tail}`))
}

function firstBrace(glob: string): { before: string; inside: string; after: string } | undefined {
  let [open, depth] = [-1, 0]
  for (let at = 0; at < glob.length; at++) {
    if (glob[at] === '[') at = classEnd(glob, at)
    else if (glob[at] === '{' && depth++ === 0) open = at
    else if (glob[at] === '}' && --depth === 0) {
      return { before: glob.slice(0, open), inside: glob.slice(open + 1, at), after: glob.slice(at + 1) }
    }
  }
  return undefined
}

/** The index of the bracket that closes the class opened at `open`; the glob's length when none does. */
function classEnd(glob: string, open: number): number {
  const negated = glob[open + 1] === '!' || glob[open + 1] === '^'
  // A closing bracket in the first place stands for itself: []] is the class of one bracket.
  const end = glob.indexOf(']', open + (negated ? 3 : 2))
  return end < 0 ? glob.length : end
}
