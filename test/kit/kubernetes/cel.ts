/**
 * An object literal of CEL as a value: `Object.spec.x{name: "a", on: true}`, lists, maps, strings, numbers, booleans and
 * names of variables. All that a policy's patches need; a cluster is what evaluates the rest.
 * @throws Error at what is something else
 */
export function valueOfCel(text: string, variables: Readonly<Record<string, unknown>> = {}): unknown {
  const json = tokensOf(text)
    // `Object.spec.x{` is `{`; `name:` is `"name":`
    .filter((token, index, all) => !(all[index + 1] === '{' && /^[A-Z]/.test(token)))
    .map((token, index, all) => {
      if (!/^[A-Za-z_]/.test(token) || token === 'true' || token === 'false') return token
      if (all[index + 1] === ':') return JSON.stringify(token)
      if (!Object.hasOwn(variables, token)) throw new Error(`unknown: ${token}`)
      return JSON.stringify(variables[token])
    })
    .join('')
  return JSON.parse(json)
}

function tokensOf(text: string): readonly string[] {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[A-Za-z_][\w.]*|-?\d+|[{}[\],:]|\S/g) ?? []
  const unknown = tokens.find((token) => !/^(?:["\w{}[\],:]|-\d)/.test(token))
  if (unknown !== undefined) throw new Error(`neither a literal nor a variable: ${unknown}`)
  return tokens
}

/** The literal that begins at the first `{` after a text, up to its own `}`. */
export function literalAfter(text: string, begin: string): string {
  const from = text.indexOf('{', text.indexOf(begin))
  if (!text.includes(begin) || from < 0) throw new Error(`${begin} is not in it`)
  let depth = 0
  for (const { 0: token, index } of text.slice(from).matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') depth++
    if (token === '}' && --depth === 0) return text.slice(from, from + index + 1)
  }
  throw new Error(`${begin} is never closed`)
}
