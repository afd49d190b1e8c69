/**
 * Every command in a fenced block of README, `docs` and `manifests/README.md` is run here, or stands in the table with the test
 * that runs it: one that nobody knows fails.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { reportJson } from '../../src/bench/report/write.ts'
import { parseTuneOptions } from '../../src/bench/tune/options.ts'
import { bareReport, figure, row } from '../bench/report/example.ts'
import { describeElasticsearch, sharedElasticsearch } from '../kit/elasticsearch.ts'
import { describeKustomize, kubectl } from '../kit/kubernetes/kubectl.ts'
import { commandsOf, documents, fencesOf, type Command } from './commands.ts'
import { page as pageOf } from './pages.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Elsewhere {
  readonly command: string
  /** The test that runs it. */
  readonly by: string
  /** What shows there that it does; without it, the command as it is. */
  readonly has?: readonly string[]
}

/** What needs a cluster, a builder of images, or minutes. */
const elsewhere: readonly Elsewhere[] = [
  { command: 'npm ci && npm run demo', by: '.ci/run', has: ["'npm ci' npm ci", 'npm run demo -- --short'] },
  { command: 'npm ci && npm test', by: '.ci/run', has: ["'npm ci' npm ci", "'npm test' npm test"] },
  {
    command: 'REMORA_ELASTICSEARCH_URL=https://elasticsearch:9200 REMORA_API_KEY=… npm run demo',
    by: 'test/scenario/demo.test.ts',
    has: ['REMORA_ELASTICSEARCH_URL: server.url'],
  },
  { command: 'docker build -t remora:0.1.0 .', by: '.ci/kube', has: ['podman build', '-t "$image" .'] },
  ...[
    'kubectl apply -k manifests/development',
    'kubectl wait --for=condition=Available deployment/elasticsearch deployment/legacy --timeout=5m',
    'kubectl create secret generic remora-credentials --from-literal=REMORA_API_KEY=…',
    'kubectl apply -k manifests/base',
    'kubectl port-forward service/elasticsearch 9200 &',
    'kubectl exec deployment/legacy -c remora -- remora check',
    'kubectl exec deployment/legacy -c remora -- remora inspect',
    'kubectl logs deployment/legacy -c remora',
    'kubectl port-forward deployment/legacy 9600',
    'kubectl exec POD -c remora -- remora replay --dry-run',
    `kubectl patch pod POD --subresource=resize --patch '{"spec":{"initContainers":[{"name":"remora","resources":{"requests":{"memory":"128Mi"},"limits":{"memory":"128Mi"}}}]}}'`,
    'kubectl exec POD -c remora -- remora replay',
  ].map((command) => ({ command, by: 'test/kube/readme.kube.ts' })),
  // Their options are read below as well.
  { command: 'remora bench --short', by: 'test/bench/command.test.ts', has: ["'--short'"] },
  {
    command: 'remora bench --cpu 500m --memory 128Mi --scenario saturation --scenario latency',
    by: 'test/bench/command.test.ts',
    has: ["'--cpu'", "'--memory'", "'--scenario'"],
  },
  {
    command: 'remora bench --manifest manifests/base',
    by: 'test/bench/manifest-files.test.ts',
    has: ['manifests/base'],
  },
  {
    command: 'remora bench --url https://elasticsearch:9200',
    by: 'test/bench/load/elasticsearch.test.ts',
    has: ['counts line by line what is really there, and is gone afterwards'],
  },
  { command: 'remora bench --sample app.log', by: 'test/bench/load/writer.test.ts', has: ['readSample'] },
  {
    command:
      'remora bench --rate 4MB --burst 5x/2s --files 8 --rotation copytruncate --latency 20ms --refuse-items 2% --outage 3s-8s',
    by: 'test/bench/bench-options.test.ts',
    has: ['a load and a server of one’s own are the scenario custom'],
  },
  ...[
    'remora bench tune --manifest manifests/base --url https://elasticsearch:9200',
    'remora bench tune --latency 20ms --bandwidth 20MB',
    'remora bench tune --goal latency --latency 20ms',
  ].map((command) => ({
    command,
    by: 'test/bench/tune/real.test.ts',
    has: ["'--manifest', path, '--latency', '20ms'"],
  })),
]

const fences = documents.flatMap(fencesOf)
const commands = fences.filter(({ language }) => language === 'sh').flatMap(commandsOf)
const isElsewhere = ({ text }: Command) => elsewhere.some(({ command }) => command === text)

/** What is run here, by how. One command may be several. */
const here = {
  benchOptions: ({ text }: Command) => /^remora bench (?!--list$|compare )/.test(text),
  bench: ({ text }: Command) => /^remora bench (--list$|compare )/.test(text),
  kustomize: ({ text }: Command) => /^kubectl (apply -k|kustomize) \S+$/.test(text),
  check: ({ text }: Command) => text === 'npm run remora -- check',
  run: ({ text }: Command) => text === 'npm run remora -- run',
  search: ({ text }: Command) => /^curl 'http:\/\/127\.0\.0\.1:9200\/logs-legacy-default\/_count'$/.test(text),
} satisfies Record<string, (command: Command) => boolean>

const of = (kind: keyof typeof here) => commands.filter(here[kind])

describe('no command goes untried', () => {
  test.each(commands)('$page, line $line: $text', (command) => {
    const tried = isElsewhere(command) || Object.values(here).some((isOf) => isOf(command))
    expect(tried, 'nothing runs it: see test/docs/commands.test.ts').toBe(true)
  })

  test.each(elsewhere)('$by runs: $command', ({ command, by, has = [command] }) => {
    expect(commands.map(({ text }) => text)).toContain(command)
    const text = fs.readFileSync(path.join(root, by), 'utf8')
    for (const each of has) expect(text).toContain(each)
  })

  test.each(Object.keys(here) as (keyof typeof here)[])('there is something to run as %s', (kind) =>
    expect(of(kind)).not.toEqual([]),
  )

  test('none hides in a block of another kind', () => {
    const program = /^\s*(\$ |sudo |npm |npx |node |kubectl |docker |podman |kind |remora |curl |helm )/
    const hiding = fences.filter(
      ({ language, lines }) =>
        /^(bash|shell|console|zsh|shell-session)$/.test(language) ||
        (language !== 'sh' && lines.some((line) => program.test(line))),
    )
    expect(hiding.map(({ page, line, language }) => `${page}:${line} ${language}`)).toEqual([])
  })
})

describe('what stands within the text', () => {
  const { scripts } = JSON.parse(pageOf('package.json').text) as { scripts: Record<string, string> }
  const spans = documents.flatMap(({ name, text }) =>
    [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) => ({ page: name, span: span! })),
  )
  const named = (pattern: RegExp) =>
    spans.flatMap(({ page, span }) => [...span.matchAll(pattern)].map(([, name]) => ({ page, name: name! })))

  test.each(named(/\bnpm run ([\w:]+)/g))('$page: npm run $name', ({ name }) => expect(scripts).toHaveProperty(name))

  test.each(named(/\bnode ((?!-)\S+\.ts)/g))('$page: node $name', ({ name }) => {
    expect(fs.existsSync(path.join(root, name))).toBe(true)
  })

  test('every command of remora is one', () => {
    const usage = spawnSync(process.execPath, [path.join(root, 'src/main.ts'), '--help'], { encoding: 'utf8' }).stdout
    const known = [...usage.matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name)
    expect(known).toContain('run')
    const unknown = named(/^remora ([a-z]+)/g).filter(({ name }) => !known.includes(name))
    expect(unknown).toEqual([])
  })

  test('every test is there', () => {
    const tests = named(/^(test\/[\w./-]+)$/g).filter(({ name }) => {
      const at = path.join(root, name)
      return !['', '.ts', '.test.ts', '.kube.ts'].some((end) => fs.existsSync(`${at}${end}`))
    })
    expect(tests).toEqual([])
  })
})

test.each(of('benchOptions'))('the options of: $text', ({ text }) => {
  const [, , ...argv] = text.split(' ')
  const wish = argv[0] === 'tune' ? parseTuneOptions(argv.slice(1)) : parseBenchOptions(argv)
  expect(wish).toBeTypeOf('object')
})

describeKustomize('kustomizations', () => {
  test.each(of('kustomize'))('$text', ({ text }) => {
    const { status, stderr } = spawnSync(kubectl!, ['kustomize', text.split(' ').at(-1)!], {
      cwd: root,
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

/** As somebody runs them who has `remora` on the PATH: in a shell, from a checkout. */
describe('in a shell', () => {
  let directory: string
  beforeAll(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-docs-'))
    for (const name of ['package.json', 'node_modules', 'src', 'dist', 'build', 'manifests'])
      fs.symlinkSync(path.join(root, name), path.join(directory, name))
    for (const name of ['bin', 'logs', 'state']) fs.mkdirSync(path.join(directory, name))
    const remora = `#!/bin/sh\nexec '${process.execPath}' '${root}src/main.ts' "$@"\n`
    fs.writeFileSync(path.join(directory, 'bin/remora'), remora, { mode: 0o755 })
  })
  afterAll(() => fs.rmSync(directory, { recursive: true, force: true }))

  /** @param replaced  what stands for something of the reader's own */
  function shell({ exported, text }: Command, env: Record<string, string>, replaced: Record<string, string> = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('REMORA_'))
    let script = [...exported, `exec ${text}`].join('\n')
    for (const [from, to] of Object.entries(replaced)) script = script.replaceAll(from, to)
    const child = spawn('sh', ['-euc', script], {
      cwd: directory,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...Object.fromEntries(inherited),
        PATH: `${directory}/bin:${path.dirname(process.execPath)}:${process.env['PATH']}`,
        REMORA_ADMIN_PORT: '0',
        REMORA_STATE_DIR: `${directory}/state`,
        HOME: directory,
        ...env,
      },
    })
    let output = ''
    for (const from of [child.stdout, child.stderr]) from.setEncoding('utf8').on('data', (piece) => (output += piece))
    const ended = once(child, 'close').then(() => ({ status: child.exitCode, output }))
    return { child, ended }
  }

  test.each(of('bench'))('$text', async (command) => {
    for (const name of ['before', 'after']) {
      const rows = [row('a', [figure('CPU to the copy floor', '×', [5, 5.1, 5.2])])]
      const report = bareReport({ scenarios: [{ name: 'saturation', about: '', rows, seconds: 1 }] })
      fs.writeFileSync(path.join(directory, `${name}.json`), reportJson(report))
    }
    expect(await shell(command, {}).ended).toMatchObject({ status: 0, output: expect.stringContaining('saturation') })
  })

  describeElasticsearch('with a real Elasticsearch', () => {
    const dataset = `docs${process.pid}x${Date.now().toString(36)}`
    const index = `logs-${dataset}-default`

    async function agent(command: Command) {
      const server = await sharedElasticsearch()
      fs.writeFileSync(path.join(directory, 'logs/app.log'), 'a line\nanother line\n')
      const replaced = {
        '/var/log/app': `${directory}/logs`,
        'https://elasticsearch:9200': server.url,
        '…': 'bm9ib2R5Om5vdGhpbmc=',
      }
      return { server, ...shell(command, { REMORA_DATASET: dataset }, replaced) }
    }

    test.each(of('check'))('$text', async (command) => {
      const { ended } = await agent(command)
      expect(await ended).toMatchObject({ status: 0, output: expect.stringContaining('Elasticsearch 9.') })
    })

    test.each(of('run'))('$text', async (command) => {
      const { server, child, ended } = await agent(command)
      while ((await server.count(index)) < 2 && child.exitCode === null) await delay(50)
      process.kill(-child.pid!, 'SIGINT')
      expect(await ended).toMatchObject({ output: expect.stringContaining('everything is shipped') })
      expect(await server.count(index)).toBe(2)
      expect(fs.readdirSync(path.join(directory, '.remora')), 'what it says of the state').toContain('instance')
    })

    test.each(of('search'))('$text', async (command) => {
      const server = await sharedElasticsearch()
      const other = `logs-${dataset}x-default`
      await server.request('POST', `/${other}/_doc?refresh=true`, { '@timestamp': '2026-01-01', message: 'a line' })
      const { ended } = shell(command, {}, { 'http://127.0.0.1:9200': server.url, 'logs-legacy-default': other })
      expect(await ended).toMatchObject({ status: 0, output: expect.stringContaining('"count":1') })
    })
  })
})
