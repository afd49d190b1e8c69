import { describe, expect, test } from 'vitest'
import { sortNames } from '../../src/config/names.ts'

const service = (prefix: string, address: string, host: string) => ({
  [`${prefix}_SERVICE_HOST`]: host,
  [`${prefix}_SERVICE_PORT`]: '9600',
  [`${prefix}_SERVICE_PORT_HTTP`]: '9600',
  [`${prefix}_SERVICE_PORT_HTTP_ADMIN`]: '9600',
  [`${prefix}_PORT`]: address,
  [`${prefix}_PORT_9600_TCP`]: address,
  [`${prefix}_PORT_9600_TCP_PROTO`]: 'tcp',
  [`${prefix}_PORT_9600_TCP_PORT`]: '9600',
  [`${prefix}_PORT_9600_TCP_ADDR`]: host,
})

describe('unknown variables', () => {
  test.each([
    ['REMORA_PATH', 'REMORA_PATHS'],
    ['REMORA_PASWORD', 'REMORA_PASSWORD'],
    ['REMORA_PASWORD_FILE', 'REMORA_PASSWORD_FILE'],
    ['REMORA_ELASTICSEARCH_URLS', 'REMORA_ELASTICSEARCH_URL'],
    ['REMORA_DATASTREAM_NAMESPACE', 'REMORA_DATA_STREAM_NAMESPACE'],
    ['REMORA_LOGLEVEL', 'REMORA_LOG_LEVEL'],
    ['REMORA_SERVICE_NAMES', 'REMORA_SERVICE_NAME'],
    ['remora_paths', 'REMORA_PATHS'],
    ['Remora_Api_Key', 'REMORA_API_KEY'],
  ])('%s: the nearest is %s', (name, nearest) => {
    const { problems, notices, injected } = sortNames({ [name]: 'x' })
    expect(problems).toEqual([
      { variable: name, message: 'there is no such setting', wayOut: expect.stringContaining(`name is ${nearest};`) },
    ])
    expect([notices, injected.size]).toEqual([[], 0])
  })

  test.each([
    ['PATH', 'x'],
    ['REMORAPATHS', 'x'],
    ['MY_REMORA_PATH', 'x'],
    ['remora_home', 'x'],
    ['REMORA_NOTHING', ''],
    ['REMORA_NOTHING', ' '],
    ['REMORA_NOTHING', undefined],
  ])('%s=%s is nobody’s business', (name, value) => expect(sortNames({ [name]: value }).problems).toEqual([]))

  test('a strange name is printed harmlessly', () => {
    const [problem] = sortNames({ [`REMORA_\u001b[31m\n${'X'.repeat(10_000)}`]: 'x' }).problems
    expect(problem?.variable).toMatch(/^"REMORA_\\u001b\[31m\\nX+"$/)
    expect(problem?.variable.length).toBeLessThan(100)
  })

  test('there is an end to the complaints', () => {
    const env = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`REMORA_X${index}`, 'x']))
    expect(sortNames(env).problems).toHaveLength(50)
  })
})

describe('variables that Kubernetes sets for Services', () => {
  test.each([
    ['REMORA', 'tcp://10.96.0.1:9600', '10.96.0.1'],
    ['REMORA', 'tcp://[fd00::1]:9600', 'fd00::1'],
    ['REMORA_ADMIN', 'tcp://10.96.0.1:9600', '10.96.0.1'],
    ['REMORA_ELASTICSEARCH', 'udp://10.96.0.1:9600', '10.96.0.1'],
    ['REMORA_2_X', 'tcp://10.96.0.1:9600', '10.96.0.1'],
  ])('a Service with the prefix %s at %s is ignored with one notice', (prefix, address, host) => {
    const env = service(prefix, address, host)
    const { problems, notices, injected } = sortNames(env)
    expect(problems).toEqual([])
    expect([...injected]).toEqual(Object.keys(env))
    expect(notices).toEqual([
      expect.stringMatching(/^ignored 9 variables .*SERVICE_HOST, .* and 4 more; enableServiceLinks/),
    ])
  })

  test('several Services make one notice', () => {
    const env = {
      ...service('REMORA', 'tcp://10.0.0.1:1', '10.0.0.1'),
      ...service('REMORA_A', 'tcp://10.0.0.2:1', '10.0.0.2'),
    }
    expect(sortNames(env).notices).toHaveLength(1)
    expect(sortNames({ REMORA_PORT: 'tcp://10.0.0.1:1' }).notices).toEqual([
      expect.stringMatching(/^ignored a variable/),
    ])
  })

  test('a name of ours is injected only when its value looks so', () => {
    expect([...sortNames({ REMORA_ADMIN_PORT: 'tcp://10.0.0.1:9600' }).injected]).toEqual(['REMORA_ADMIN_PORT'])
    expect([...sortNames({ REMORA_ADMIN_PORT: '9600' }).injected]).toEqual([])
    expect(sortNames({ REMORA_SERVICE_NAME: '10.0.0.1' })).toMatchObject({ problems: [], notices: [] })
  })

  test.each([
    ['REMORA_PORT', '9600'],
    ['REMORA_PORT', 'tcp://elsewhere:9600'],
    ['REMORA_PORT', 'tcp://999.0.0.1:9600'],
    ['REMORA_PORT', 'http://10.0.0.1:9600'],
    ['REMORA_SERVICE_HOST', 'elsewhere'],
    ['REMORA_SERVICE_PORT', 'http'],
    ['REMORA_SERVICE_PORTS', '9600'],
    ['REMORA_PORT_X_TCP', 'tcp://10.0.0.1:9600'],
    ['REMORA_PORT_9600_TCP_PROTO', 'http'],
  ])('%s=%s has not the shape, and is a mistake', (name, value) => {
    expect(sortNames({ [name]: value }).problems).toMatchObject([{ variable: name }])
  })
})
