import { expect, test } from 'vitest'
import { setupCommand } from '../../src/commands/setup.ts'
import { describeElasticsearch, sharedElasticsearch } from '../kit/elasticsearch.ts'

const run = async (env: Record<string, string>, ...argv: string[]) => {
  const server = await sharedElasticsearch()
  const said: string[] = []
  const all = { REMORA_ELASTICSEARCH_URL: server.url, ...env }
  const code = await setupCommand(argv, all, (text) => void said.push(text))
  return { code, text: said.join(''), server }
}

describeElasticsearch('remora setup on a real server without ILM and match_only_text', () => {
  test('twice, and with another setting: created, unchanged, updated; a data stream made from it has the mapping', async () => {
    const env = { REMORA_DATASET: 'setuptest' }
    const name = 'logs-setuptest-default'
    const dry = await run(env, '--dry-run')
    expect([dry.code, dry.text]).toEqual([0, expect.stringContaining('would be created')])
    const { server } = dry
    expect((await server.request('GET', `/_index_template/remora-${name}`)).status, 'nothing was written').toBe(404)
    const first = await run(env)
    expect([first.code, first.text.match(/ created$/gm)?.length]).toEqual([0, 3])
    const again = await run(env)
    expect([again.code, again.text]).toEqual([0, expect.stringContaining('Nothing to do')])
    const { body } = await server.request('GET', `/_index_template/remora-${name}`)
    expect(body.index_templates[0].index_template).toMatchObject({ priority: 300, index_patterns: [name], version: 1 })

    const document = { '@timestamp': '2026-01-01T00:00:00Z', message: 'hello', labels: { day: '2026-01-01' } }
    const sent = await server.request('POST', `/${name}/_bulk`, `{"create":{}}\n${JSON.stringify(document)}\n`)
    expect(sent.body.errors).toBe(false)
    const { body: made } = await server.request('GET', `/${name}/_mapping`)
    const [[index, { mappings }]] = Object.entries(made) as [[string, { mappings: { properties: object } }]]
    expect(index).toMatch(/^\.ds-logs-setuptest-default-/)
    expect(mappings.properties).toMatchObject({
      message: { type: 'text', norms: false },
      labels: { properties: { day: { type: 'keyword' } } },
      log: { properties: { offset: { type: 'long' } } },
    })

    const changed = await run({ ...env, REMORA_ROUTING: 'a' })
    expect(changed.text).toMatch(/index template +remora-logs-setuptest-default +updated/)
    expect(changed.text).toContain(`POST /${name}/_rollover`)
  })

  test('a template of somebody else is left alone, and nothing is written beside it', async () => {
    const server = await sharedElasticsearch()
    const path = '/_index_template/remora-setup-foreign'
    const theirs = { index_patterns: ['setup-foreign'], priority: 7 }
    await server.request('PUT', path, theirs)
    const { code, text } = await run({ REMORA_INDEX: 'setup-foreign' })
    expect([code, text]).toEqual([1, expect.stringContaining('somebody else has made the index template')])
    const { body } = await server.request('GET', path)
    expect(body.index_templates[0].index_template).toMatchObject(theirs)
    expect((await server.request('GET', '/_component_template/remora-setup-foreign-mappings')).status).toBe(404)
  })

  test('a newer one of ours is left alone; an older one is updated', async () => {
    const server = await sharedElasticsearch()
    const put = (version: number) =>
      server.request('PUT', '/_index_template/remora-setup-version', {
        index_patterns: ['setup-version'],
        priority: 300,
        _meta: { managed_by: 'remora', version },
      })
    await put(99)
    const newer = await run({ REMORA_INDEX: 'setup-version' })
    expect([newer.code, newer.text]).toEqual([0, expect.stringContaining('A newer Remora')])
    await put(0)
    expect((await run({ REMORA_INDEX: 'setup-version' })).text).toMatch(/remora-setup-version +updated/)
  })

  test('an index template for dates makes plain indices; one with the same priority is explained', async () => {
    const REMORA_INDEX = 'logs-setupdated-{+yyyy.MM.dd}'
    expect((await run({ REMORA_INDEX })).code).toBe(0)
    const server = await sharedElasticsearch()
    const index = 'logs-setupdated-2026.11.25'
    const action = JSON.stringify({ create: { _index: index, _id: 'x' } })
    const document = '{"@timestamp":"2026-01-01T00:00:00Z","message":"m"}'
    const sent = await server.request('POST', '/_bulk', `${action}\n${document}\n`)
    expect(sent.body.items[0].create).toMatchObject({ _index: index, status: 201 })
    const rival = await run({ REMORA_INDEX: 'logs-setupdated-{+yyyy.MM}' })
    expect([rival.code, rival.text]).toEqual([1, expect.stringContaining('remora-logs-setupdated-yyyy.mm.dd')])
  })
})

const say = () => {}

test('what is wrong with arguments and settings is exit code 2; no server is 1', async () => {
  expect(await setupCommand(['--now'], {}, say)).toBe(2)
  expect(await setupCommand([], {}, say)).toBe(2)
  expect(await setupCommand([], { REMORA_INDEX: '{nothing}' }, say)).toBe(2)
  expect(await setupCommand([], { REMORA_ELASTICSEARCH_URL: 'http://127.0.0.1:1' }, say)).toBe(1)
})
