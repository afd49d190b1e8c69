import { describe, expect, test } from 'vitest'
import { givenTuneOptions, parseTuneOptions, tuneUsage, type TuneOptions } from '../../../src/bench/tune/options.ts'

const parse = (...argv: readonly string[]) => parseTuneOptions(argv)

test('what is not given has its default', () => {
  expect(parse()).toEqual({
    cpu: undefined,
    memory: undefined,
    manifest: undefined,
    goal: 'rate',
    form: 'long',
    only: [],
    seed: 1,
    url: undefined,
    latencyMs: 0,
    bytesPerSecond: undefined,
    rateBytesPerSecond: undefined,
    sample: undefined,
    leastEffect: 0.03,
    format: 'kubernetes',
    out: undefined,
  })
})

test.each([
  [['--goal', 'cpu', '--rate', '4MB'], { goal: 'cpu', rateBytesPerSecond: 4e6 }],
  [['--goal', 'latency', '--rate', '1.5Mi/s'], { rateBytesPerSecond: 1_572_864 }],
  [['--latency', '20ms', '--bandwidth', '20MB'], { latencyMs: 20, bytesPerSecond: 20e6 }],
  [['--bandwidth', '512kB/s'], { bytesPerSecond: 512e3 }],
  [['--bandwidth', '512Ki'], { bytesPerSecond: 524_288 }],
  [['--least-effect', '7.5'], { leastEffect: 0.075 }],
  [['--only', 'REMORA_CONCURRENCY', '--only', 'REMORA_CONCURRENCY'], { only: ['REMORA_CONCURRENCY'] }],
  [['--url', 'https://e:9200', '--short'], { url: 'https://e:9200', form: 'short' }],
  [['--format', 'env', '--out', 'd', '--seed', '7'], { format: 'env', out: 'd', seed: 7 }],
])('%j', (argv, expected) => expect(parse(...argv)).toMatchObject(expected))

test('help lists all options', () => {
  expect(parse('--help', '--goal', 'none')).toBe('help')
  const others = ['form', 'latencyMs', 'bytesPerSecond', 'rateBytesPerSecond', 'leastEffect']
  const names = Object.keys(parse() as TuneOptions).filter((name) => !others.includes(name))
  for (const name of names) expect(tuneUsage).toContain(`--${name}`)
})

describe('what is wrong is named', () => {
  test.each([
    [['--goal', 'speed'], /--goal is not "speed"/],
    [['--latency', '20'], /--latency: "20" has no unit/],
    [['--latency', '1m'], /--latency is not "1m"/],
    [['--bandwidth', 'fast'], /--bandwidth: "fast" is not a quantity/],
    [['--bandwidth', '1kB'], /--bandwidth is not "1kB"/],
    [['--rate', '4MB'], /--rate is for lines at a steady rate/],
    [['--goal', 'cpu', '--rate', '0'], /--rate is not "0"/],
    [['--url', 'http://e:9200', '--latency', '20ms'], /--latency cannot slow your own server down/],
    [['--url', 'http://e:9200', '--latency', '1s', '--bandwidth', '1MB'], /--latency and --bandwidth cannot/],
    [['--url', 'http://e:9200', '--goal', 'latency'], /no latency to tune by/],
    [['--url', 'http://elastic:hunter2@e:9200'], /a name or a password in it/],
    [['--url', 'e:9200'], /--url is no address/],
    [['--only', 'REMORA_PATHS'], /--only is not "REMORA_PATHS"/],
    [['--least-effect', '-1'], /--least-effect|argument/],
    [['--least-effect', '101'], /--least-effect is not "101"/],
    [['--format', 'yaml'], /--format is not "yaml"/],
    [['--seed', 'x'], /--seed is not "x"/],
    [['--rounds', '3'], /--rounds/],
    [['more'], /more/],
  ])('%j', (argv, message) => expect(() => parse(...argv)).toThrow(message))

  test('and a password is not repeated', () => {
    expect(() => parse('--url', 'http://elastic:hunter2@e:9200')).not.toThrow(/hunter2/)
  })
})

test('what was given is told as it was, and nothing else', () => {
  expect(givenTuneOptions(parse() as TuneOptions)).toEqual({ form: 'long' })
  expect(
    givenTuneOptions(parse('--short', '--latency', '20ms', '--only', 'REMORA_CONCURRENCY') as TuneOptions),
  ).toEqual({
    form: 'short',
    latencyMs: '20',
    only: 'REMORA_CONCURRENCY',
  })
})
