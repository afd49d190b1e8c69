import { copyFileSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { stampOf, type Stamp } from '../src/base/bundle.ts'
import { replaceBundle } from './replace.ts'

/**
 * Puts the agent and the libraries that it loads into a few files, of what they use only. The process is smaller by a third
 * and starts with half the CPU (ARCHITECTURE.md): 260 modules are 260 texts, caches and tables of names.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const target = path.join(root, 'dist')
const draft = `${target}.${process.pid}`

/**
 * An import of `node:http` reads each of its exports, and those for WebSocket load undici: 35 ms of CPU and 6 MiB that nobody
 * here has a use for. Asked for as an object only what is used is read. (Node 26, `lib/http.js`, the getters at its end.)
 */
const httpId = '\0http'
const httpNames = Object.entries(Object.getOwnPropertyDescriptors(http)).filter(([, found]) => 'value' in found)
const httpText = `const http = process.getBuiltinModule('node:http')
export default http
export const { ${httpNames.map(([name]) => name).join(', ')} } = http`

rmSync(draft, { recursive: true, force: true })
mkdirSync(draft)
const bundle = await rolldown({
  input: path.join(root, 'src/main.ts'),
  platform: 'node',
  // Not the demo and the bench: they start scripts that lie beside their own.
  plugins: [
    {
      name: 'demo and bench stay where they are',
      resolveId: (id) =>
        /^\.\/commands\/(?:demo|bench)\.ts$/.test(id) ? { id: `../src/${id.slice(2)}`, external: true } : undefined,
    },
    {
      name: 'http without WebSocket',
      resolveId: (id) => (id === 'node:http' || id === 'http' ? httpId : undefined),
      load: (id) => (id === httpId ? httpText : undefined),
    },
  ],
})
const { output } = await bundle.write({
  dir: draft,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  // Names and lines stay: a stack in a report must be readable.
  comments: false,
})
await bundle.close()
copyFileSync(path.join(root, 'src/encode/kernel.wasm'), path.join(draft, 'kernel.wasm'))

const modules = output.flatMap((each) => (each.type === 'chunk' ? each.moduleIds : []))
const own = modules.filter((id) => id.startsWith(path.join(root, 'src'))).map((id) => path.relative(root, id))
// Whatever npm changes in `node_modules` it writes down there.
const made = ['build/bundle.ts', 'package.json', 'package-lock.json', 'node_modules/.package-lock.json']
const inputs: Stamp[] = [...new Set([...own, 'src/encode/kernel.wasm', ...made])]
  .filter((name) => existsSync(path.join(root, name)))
  .toSorted()
  .map((name) => stampOf(name, statSync(path.join(root, name))))
writeFileSync(path.join(draft, 'inputs.json'), JSON.stringify(inputs))

replaceBundle(draft, target, Date.now())
