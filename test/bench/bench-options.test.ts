import { describe, expect, test } from 'vitest'
import { givenOptions, parseBenchOptions } from '../../src/bench/options.ts'

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
    expect(options).toEqual({
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
    [['more'], /more/],
  ])('%j is refused', (argv, message) => {
    expect(() => parseBenchOptions(argv)).toThrow(message)
  })

  test('a password is not repeated', () => {
    expect(() => parseBenchOptions(['--url', 'http://elastic:secret@e:9200'])).not.toThrow(/secret/)
  })
})
