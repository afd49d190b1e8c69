/**
 * The five minutes of README, command by command, on a copy of the manifests: with the image under test, an application that needs
 * no other, and in the place of the image of Elasticsearch, which nobody may be able to pull, a way to the one of the tests.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { kubectl, manifestsDirectory } from '../kit/kubernetes/kubectl.ts'
import type { Manifest } from '../kit/kubernetes/manifest.ts'
import { writeIn, writingOf } from './kit/scene.ts'
import { kube, statusOf, until, type Done } from './kit/space.ts'
import { stage } from './kit/stage.ts'
import { where } from './kit/where.ts'

const { space, gateway } = stage()
/** Of a user: somewhere with `manifests` in it, and a kubectl that has his namespace. */
let directory = ''

function rewrite(name: string, change: (text: string) => string): void {
  const at = join(directory, 'manifests', name)
  writeFileSync(at, change(readFileSync(at, 'utf8')))
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'remora-readme-'))
  cpSync(manifestsDirectory, join(directory, 'manifests'), { recursive: true })
  const tagAt = where.image.lastIndexOf(':')
  rewrite('base/kustomization.yaml', (text) =>
    text
      .replace('newName: remora', `newName: ${where.image.slice(0, tagAt)}`)
      .replace('newTag: 0.1.0', `newTag: ${where.image.slice(tagAt + 1)}`)
      .replace('REMORA_ELASTICSEARCH_URL=http://elasticsearch:9200', `REMORA_ELASTICSEARCH_URL=${gateway().url}`),
  )
  rewrite('base/deployment.yaml', (text) => {
    const deployment = parse(text)
    writeIn(deployment.spec.template.spec, writingOf({ name: 'readme', url: '' }))
    return stringify(deployment)
  })
  rewrite('elasticsearch/elasticsearch.yaml', (text) => {
    const manifests = parseAllDocuments(text).map((each): Manifest => each.toJS())
    for (const container of manifests.flatMap(({ spec }) => spec.template?.spec.containers ?? [])) {
      container.image = where.image
      container.command = ['node', '-e', passOn, gateway().url]
    }
    return manifests.map((each) => stringify(each, { aliasDuplicateObjects: false })).join('---\n')
  })
  writeFileSync(join(directory, 'kubeconfig'), await kube(['config', 'view', '--raw', '--flatten']))
  await said(`kubectl config set-context --current --namespace=${space().name}`)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const passOn = `
  const { createServer, connect } = require('node:net')
  const { hostname, port } = new URL(process.argv[1])
  createServer((client) => {
    const server = connect(Number(port), hostname)
    client.pipe(server).pipe(client)
    client.on('error', () => server.destroy())
    server.on('error', () => client.destroy())
  }).listen(9200)
`

function start(command: string) {
  const child = spawn('sh', ['-c', `exec ${command.replace(/ &$/, '')}`], {
    cwd: directory,
    env: {
      ...process.env,
      KUBECONFIG: join(directory, 'kubeconfig'),
      PATH: `${dirname(kubectl ?? '')}${delimiter}${process.env['PATH']}`,
    },
  })
  const text = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text.stdout += piece))
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (text.stderr += piece))
  const ended = once(child, 'close').then((): Done => ({ status: child.exitCode ?? -1, ...text }))
  return { child, ended }
}

/** What a command prints that ends well. */
async function said(command: string): Promise<string> {
  const { status, stdout, stderr } = await start(command).ended
  expect({ status, stderr }, command).toMatchObject({ status: 0 })
  return stdout
}

test('five minutes on Kubernetes', async () => {
  const key = 'bm9ib2R5Om5vdGhpbmc='
  const secret = 'kubectl create secret generic remora-credentials --from-literal=REMORA_API_KEY=…'
  await said(secret.replace('…', key))
  await said('kubectl apply -k manifests/base')
  await said('kubectl apply -k manifests/development')
  await said('kubectl wait --for=condition=Available deployment/elasticsearch deployment/legacy --timeout=5m')

  const search = start('kubectl port-forward service/elasticsearch 9200 &')
  try {
    await until('documents', async () => {
      const answer = await said("curl 'http://127.0.0.1:9200/logs-legacy-default/_count'")
      return JSON.parse(answer).count > 0 || undefined
    })
  } finally {
    search.child.kill()
  }

  const checked = await said('kubectl exec deployment/legacy -c remora -- remora check')
  expect(checked).toContain(gateway().url)
  expect(checked).not.toContain(key)
  expect(await said('kubectl exec deployment/legacy -c remora -- remora inspect')).toContain('/var/log/app/orders.log')
  expect(await said('kubectl logs deployment/legacy -c remora')).toContain('"event.code":"START"')
  const page = start('kubectl port-forward deployment/legacy 9600')
  try {
    const html = await until('the status page', async () => {
      const response = await fetch('http://127.0.0.1:9600/')
      return response.status === 200 ? response.text() : undefined
    })
    expect(html).toContain('orders.log')
    expect((await fetch('http://127.0.0.1:9600/readyz')).status).toBe(200)
  } finally {
    page.child.kill()
  }
  await Promise.all([search.ended, page.ended])
})

/** `docs/behaviour.md`, "Dead letters". */
test('dead letters are sent again, with more memory for that', async ({ skip }) => {
  const { serverVersion } = JSON.parse(await kube(['version', '-o', 'json']))
  skip(Number.parseInt(serverVersion.minor, 10) < 33, 'before 1.33 a cluster does not resize in place by itself')
  const { metadata } = await space().podWith('app.kubernetes.io/name=legacy')
  const ofPod = (command: string) => said(command.replace('POD', metadata.name))
  await ofPod('kubectl exec POD -c remora -- remora replay --dry-run')
  await ofPod(
    `kubectl patch pod POD --subresource=resize --patch '{"spec":{"initContainers":[{"name":"remora","resources":{"requests":{"memory":"128Mi"},"limits":{"memory":"128Mi"}}}]}}'`,
  )
  await until('as much memory', async () => {
    const resized = statusOf(await space().get('pod', metadata.name)).resources?.limits?.memory === '128Mi'
    return resized || undefined
  })
  expect(await ofPod('kubectl exec POD -c remora -- remora replay')).toContain('there are no dead letters')
})
