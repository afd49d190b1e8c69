import { describe, expect, test } from 'vitest'
import { assert } from '../../src/base/errors.ts'
import { customRow } from '../../src/bench/scenarios/custom-row.ts'
import type { Setting } from '../../src/bench/scenarios/scenario.ts'
import { givenOptions, parseBenchOptions } from '../../src/bench/options.ts'

const custom = (given: string) => {
  const options = parseBenchOptions(given.split(' '))
  assert(typeof options === 'object', 'a bench')
  return options
}

describe('options', () => {
  test('what is not given has its default', () => {
    expect(parseBenchOptions([])).toMatchObject({
      form: 'long',
      scenarios: [],
      seed: 1,
      rounds: undefined,
      url: undefined,
    })
  })

  test('all of them', () => {
    const given =
      '--cpu 200m --memory 64Mi --manifest m --short --scenario idle --scenario restart --scenario idle --rounds 2 --seed 7 --url https://e:9200 --sample s --out d'
    const options = parseBenchOptions(given.split(' '))
    expect(options).toMatchObject({
      cpu: '200m',
      memory: '64Mi',
      manifest: 'm',
      form: 'short',
      scenarios: ['idle', 'restart'],
      rounds: 2,
      seed: 7,
      url: 'https://e:9200',
      sample: 's',
      out: 'd',
    })
    expect(givenOptions(options as never)).toEqual({
      cpu: '200m',
      memory: '64Mi',
      manifest: 'm',
      form: 'short',
      scenario: 'idle, restart',
      rounds: '2',
      url: 'https://e:9200',
      sample: 's',
      out: 'd',
    })
  })

  test('a load and a server of one’s own are the scenario custom, and are told as they were given', () => {
    const given =
      '--mix stack --files 4 --rotation copytruncate --rotate-every 500ms --rate 4MB --burst 5x/2s --seconds 30 --latency 20ms --bandwidth 20MB --refuse 2% --refuse-items 0.5% --outage 10s-12s --outage 3s-8s'
    const options = custom(given)
    expect(options).toMatchObject({ mix: 'stack', scenarios: ['custom'] })
    expect(options.custom).toEqual({
      files: 4,
      rotation: { kind: 'copytruncate', everyMs: 500 },
      bytesPerSecond: 4e6,
      burst: { times: 5, periodMs: 2_000 },
      seconds: 30,
      shape: {
        latencyMs: 20,
        bytesPerSecond: 20e6,
        refusedShare: 0.02,
        itemRefusedShare: 0.005,
        outages: [
          { fromMs: 3_000, toMs: 8_000 },
          { fromMs: 10_000, toMs: 12_000 },
        ],
      },
    })
    expect(givenOptions(options)).toEqual({
      form: 'long',
      scenario: 'custom',
      mix: 'stack',
      files: '4',
      rotation: 'copytruncate',
      'rotate-every': '500ms',
      rate: '4MB',
      burst: '5x/2s',
      seconds: '30',
      latency: '20ms',
      bandwidth: '20MB',
      refuse: '2%',
      'refuse-items': '0.5%',
      outage: '10s-12s, 3s-8s',
    })
  })

  test('they become a plan, and the row says what it is', () => {
    const setting: Setting = {
      form: 'long',
      limits: { cpus: 0.2, memoryBytes: 2 ** 26 },
      enforcement: { kind: 'cgroup', version: 2 },
      own: { cpus: undefined, memoryBytes: undefined },
      seed: 1,
      mix: { kind: 'stack' },
      lineBytes: 100,
      destination: 'null',
      settings: {},
      custom: custom(
        '--files 4 --rotation rename --rate 4MB --burst 5x/2s --latency 20ms --refuse-items 0.5% --outage 3s-8s',
      ).custom,
    }
    const row = customRow(setting)
    expect(row.name).toBe(
      '4 MB/s in bursts of 5×, each 2s, 4 files, rename each 500ms, answers after 20ms, 0.5 % of requests refused in part, away 3s-8s',
    )
    expect(row.plan).toMatchObject({
      workload: {
        mix: { kind: 'stack' },
        rate: { kind: 'bursts', bytesPerSecond: 4e6, times: 5, periodMs: 2_000 },
        files: 4,
        activeFiles: 4,
        rotation: { kind: 'rename', everyMs: 500, keep: 8 },
        end: { seconds: 13 },
      },
      destination: { shape: { latencyMs: 20, itemRefusedShare: 0.005, outages: [{ fromMs: 3_000, toMs: 8_000 }] } },
    })
    const most = customRow({ ...setting, custom: custom('--rate max --bandwidth 2MB --seconds 20').custom })
    expect(most.name).toBe('a backlog, reads 2 MB/s')
    expect(most.plan).toMatchObject({
      workload: { rate: { kind: 'backlog' }, end: { bytes: 40e6 } },
      warmUpMs: 0,
      drainMsMax: 140_000,
    })
  })

  test('a mix is for all scenarios', () => {
    expect(custom('--mix long')).toMatchObject({ mix: 'long', scenarios: [] })
  })

  test.each([['--help'], ['--list']])('%s', (option) => {
    expect(parseBenchOptions([option])).toBe(option.slice(2))
  })

  test.each([
    [['--scenario', 'idel'], /no scenario "idel"/],
    [['--rounds', '0'], /--rounds is not "0"/],
    [['--rounds', '1e3'], /--rounds is not "1e3"/],
    [['--seed', '-1'], /--seed|argument/],
    [['--url', 'ftp://x'], /--url is no address/],
    [['--url', 'http://elastic:secret@e:9200'], /a name or a password in it/],
    [['--fast'], /--fast/],
    [['--mix', 'binary'], /--mix is not "binary"/],
    [['--mix', 'short', '--sample', 's'], /--mix is for generated lines/],
    [['--scenario', 'idle', '--files', '3'], /--files is for the scenario custom, and idle has its own/],
    [['--files', '0'], /--files is not "0"/],
    [['--rotation', 'gzip'], /--rotation is not "gzip"/],
    [['--rotate-every', '1s'], /--rotate-every says how often, but not how/],
    [['--rotation', 'rename', '--rotate-every', '1'], /--rotate-every: "1" has no unit/],
    [['--rate', '4'], /--rate is not "4"/],
    [['--rate', 'max', '--rotation', 'rename'], /--rotation does not go with --rate max/],
    [['--rate', 'max', '--burst', '5x/2s'], /--burst does not go with --rate max/],
    [['--burst', '5/2s'], /--burst is not "5\/2s"/],
    [['--burst', '1x/2s'], /--burst is not "1x\/2s"/],
    [['--latency', '1h'], /--latency is not "1h"/],
    [['--bandwidth', 'much'], /--bandwidth: "much"/],
    [['--refuse', '2'], /--refuse is not "2"/],
    [['--refuse-items', '100%'], /--refuse-items is not "100%"/],
    [['--outage', '3s'], /--outage is not "3s"/],
    [['--outage', '8s-3s'], /ends before it begins/],
    [['--outage', '3s-8s', '--outage', '5s-9s'], /overlap/],
    [['--outage', '3s-8s', '--seconds', '8'], /ends after 8 s, when nothing is written any more/],
    [['--url', 'http://e:9200', '--latency', '20ms', '--refuse', '2%'], /--latency and --refuse cannot slow/],
    [['more'], /more/],
  ])('%j is refused', (argv, message) => {
    expect(() => parseBenchOptions(argv)).toThrow(message)
  })

  test('a password is not repeated', () => {
    expect(() => parseBenchOptions(['--url', 'http://elastic:secret@e:9200'])).not.toThrow(/secret/)
  })
})
