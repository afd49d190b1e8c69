import { expect, test } from 'vitest'
import { passedOn } from '../../src/demo/agent-environment.ts'
import { closingAccount, complaintsOf } from '../../src/demo/agent-log.ts'
import { logsGlob } from '../../src/demo/workspace.ts'

test('without a server of the user, nothing that belongs to one is passed on', () => {
  const passed = passedOn({
    PATH: '/bin',
    REMORA_API_KEY: 'k',
    REMORA_MEMORY_LIMIT: '64Mi',
    REMORA_INDEX: '',
    X: undefined,
  })
  expect(passed).toEqual({
    environment: { PATH: '/bin', REMORA_MEMORY_LIMIT: '64Mi' },
    unused: ['REMORA_API_KEY'],
    problems: [],
    ownServer: false,
  })
})

test('with one, what leads to it is, and the rest is named', () => {
  const connection = {
    REMORA_ELASTICSEARCH_URL_FILE: '/etc/url',
    REMORA_USERNAME: 'u',
    REMORA_PASSWORD_FILE: '/etc/password',
    REMORA_CA_FILE: '/etc/ca.pem',
    REMORA_DATASET: 'app',
  }
  const passed = passedOn({ ...connection, REMORA_PATHS: '/var/log/*.log', REMORA_SERVICE_HOST: '10.0.0.1' })
  expect(passed).toEqual({ environment: connection, unused: ['REMORA_PATHS'], problems: [], ownServer: true })
})

test('a misspelt name is a problem', () => {
  expect(passedOn({ REMORA_API_KY: 'x' }).problems).toMatchObject([{ variable: 'REMORA_API_KY' }])
})

const message = (level: string, code: string, text: string) =>
  `${JSON.stringify({ 'log.level': level, 'event.code': code, message: text })}\n`

test('the last message of the agent is its account', () => {
  const account = 'read 12 lines, acknowledged 10 (3 were there already), filtered 0, dead-lettered 1, lost 0, held 1'
  const log = message('info', 'START', 'starts') + message('warn', 'STOPPED_WITH_REST', `stopped: ${account}; 5 bytes`)
  expect(closingAccount(log)).toEqual({
    readLines: 12,
    acknowledgedLines: 10,
    duplicateLines: 3,
    deadLetteredLines: 1,
    lostLines: 0,
    heldLines: 1,
  })
  expect(closingAccount(message('info', 'START', account))).toBeUndefined()
  expect(closingAccount('')).toBeUndefined()
})

test('complaints are warnings, and what is no message', () => {
  const log = `${message('info', 'A', 'fine')}${message('warn', 'B', 'careful')}Error: broken\n${message('error', 'C', 'x'.repeat(1000))}`
  const complaints = complaintsOf(log)
  expect(complaints.slice(0, 2)).toEqual(['warn: careful', 'Error: broken'])
  expect(complaints[2]).toHaveLength(401)
  expect(complaintsOf(message('warn', 'B', 'careful').repeat(100))).toHaveLength(8)
})

test('a directory with any characters in its path is a glob for itself', () => {
  expect(logsGlob('/tmp/a,b{c}[d]*?')).toBe('/tmp/a[,]b[{]c[}][[]d][*][?]/*.log')
})
