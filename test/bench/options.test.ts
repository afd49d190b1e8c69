import { expect, test } from 'vitest'
import { parseOptions } from '../../bench/options.ts'

const parse = (...argv: string[]) => parseOptions(argv, '/main.ts')

test('without options: seven rounds of 256 MiB, checked', () => {
  expect(parse()).toEqual({
    mode: 'raw',
    isShort: false,
    rounds: 7,
    sizeBytes: 256 << 20,
    seed: 1,
    floor: 'auto',
    hasCheck: true,
    memoryBytes: undefined,
    cpus: undefined,
    agentArgs: ['/main.ts', 'run'],
    agentEnv: {},
  })
})

test.each([
  [['--short'], { rounds: 3, isShort: true }],
  [['--short', '--rounds', '5'], { rounds: 5 }],
  [['--limits'], { mode: 'limits', memoryBytes: undefined, cpus: undefined }],
  [['--memory', '64Mi', '--cpu', '0.5'], { mode: 'limits', memoryBytes: 64 << 20, cpus: 0.5 }],
  [['--smallest'], { mode: 'smallest' }],
  [
    ['--node-arg=--max-semi-space-size=1', '--agent', 'x.ts'],
    { agentArgs: ['--max-semi-space-size=1', 'x.ts', 'run'] },
  ],
  [['--env', 'A=b=c', '--env', 'D='], { agentEnv: { A: 'b=c', D: '' } }],
])('%j', (argv, expected) => expect(parse(...argv)).toMatchObject(expected))

test.each([
  [['--rounds', '0'], '--rounds'],
  [['--rounds', 'many'], '--rounds'],
  [['--size', '64MB'], '--size'],
  [['--size', '1'], '--size'],
  [['--cpu', 'none'], '--cpu'],
  [['--floor', 'rust'], '--floor'],
  [['--env', 'X'], '--env'],
  [['--shrot'], '--shrot'],
])('%j is refused by name', (argv, name) => expect(() => parse(...argv)).toThrow(name))

test('help is no measurement', () => expect(parse('--help', '--short')).toBeUndefined())
