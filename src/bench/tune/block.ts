import type { BlockFormat } from './options.ts'
import type { Values } from './types.ts'

/** To paste: under `env:` of the container, or as lines of a shell or a ConfigMap's literals. */
export function blockText(block: Values, format: BlockFormat): string {
  const lines = Object.entries(block).map(([name, value]) =>
    format === 'env' ? `${name}=${value}` : `- name: ${name}\n  value: ${JSON.stringify(value)}`,
  )
  return lines.join('\n')
}
