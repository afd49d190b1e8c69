import { describe, expect, test } from 'vitest'
import type { Env } from '../../src/config/load.ts'
import { settingsFindings } from '../../src/check/settings-findings.ts'
import { rows } from '../../src/config/settings.ts'
import { load } from '../config/kit.ts'

const findingsOf = (env: Env, files: Record<string, string> = {}) => settingsFindings(load(env, files))
const textsOf = (env: Env, files: Record<string, string> = {}) =>
  findingsOf(env, files).map(({ level, text }) => `${level}: ${text}`)

test('each setting that is given has a line, with its value and its origin', () => {
  const env = {
    REMORA_PATHS: '/logs/*.log',
    REMORA_ELASTICSEARCH_URL: 'https://es:9200',
    REMORA_API_KEY_FILE: '/secrets/key',
  }
  expect(textsOf(env, { '/secrets/key': 'secret-secret' }).slice(0, 3)).toEqual([
    'ok: REMORA_PATHS             /logs/*.log (environment)',
    'ok: REMORA_ELASTICSEARCH_URL https://es:9200 (environment)',
    'ok: REMORA_API_KEY           ******** (file /secrets/key)',
  ])
})

test('a list that is too long for a line has a line for each of its items', () => {
  const paths = ['/var/log/{one,two}/application/*.log', '/var/log/three/application/*.log']
  expect(findingsOf({ REMORA_PATHS: paths.join(',') })[0]).toMatchObject({
    text: 'REMORA_PATHS (environment)',
    lines: [`  ${paths[0]},`, `  ${paths[1]}`],
  })
})

test('the others are told together, every one of them, in lines that fit', () => {
  const rest = findingsOf({ REMORA_DATASET: 'nginx' }).slice(1)
  const lines = rest.flatMap(({ lines: each = [] }) => each)
  expect(lines.filter((line) => line.length > 69)).toEqual([])
  const words = lines.join(' ').split(' ')
  const names = rows.map(([, { name }]) => name.replace('REMORA_', '')).filter((name) => name !== 'DATASET')
  expect(names.filter((name) => !words.some((word) => word === name || word.startsWith(`${name}=`)))).toEqual([])
  expect(words).toContain('BATCH_LINGER=200ms')
})

describe('what is wrong', () => {
  const env = {
    REMORA_BATCH_LINGER: '5',
    REMORA_PATH: '/x',
    REMORA_PASSWORD: 'hunter2-hunter2',
    REMORA_API_KEY_FILE: '/nowhere',
  }
  test('is told at once, with the way out, and makes exit code 2', () => {
    const errors = findingsOf(env).filter(({ level }) => level === 'error')
    expect(errors.map(({ text }) => text.split(':')[0])).toEqual([
      'REMORA_PATH',
      'REMORA_API_KEY_FILE',
      'REMORA_BATCH_LINGER',
      'REMORA_API_KEY',
    ])
    expect(errors.every((finding) => 'configuration' in finding && finding.wayOut !== '')).toBe(true)
  })
  test('is not called ok as well', () => {
    const fine = findingsOf(env).filter(({ level, text }) => level === 'ok' && text.startsWith('REMORA_'))
    expect(fine.map(({ text }) => text)).toEqual(['REMORA_PASSWORD ******** (environment)'])
  })
})

test('a notice is a warning', () => {
  const env = { REMORA_SERVICE_HOST: '10.0.0.1' }
  expect(textsOf(env).find((text) => text.startsWith('warning'))).toMatch(/ignored a variable that Kubernetes sets/)
})
