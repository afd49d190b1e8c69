import { expect, test } from 'vitest'
import { authoritiesFindings } from '../../../src/check/elasticsearch/authorities.ts'
import { certificates } from '../certificates.ts'

const broken = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const now = Date.UTC(2026, 0, 1)

test.each([
  [certificates.authority, ['ok: REMORA_CA_FILE: 1 authority (Remora test authority)']],
  [
    certificates.authority + certificates.expired,
    ['ok: REMORA_CA_FILE: 2 authorities (Remora test authority, expired)', 'warning: REMORA_CA_FILE: expired: expired'],
  ],
  [
    certificates.authority + broken,
    [
      'ok: REMORA_CA_FILE: 1 authority (Remora test authority)',
      'warning: REMORA_CA_FILE: 1 of its 2 certificates cannot be read',
    ],
  ],
  [broken, ['error: REMORA_CA_FILE: no certificate in it can be read']],
  ['-----BEGIN CERTIFICATE-----\nMIIB', ['error: REMORA_CA_FILE: no certificate in it can be read']],
])('%#', (pem, texts) => {
  expect(authoritiesFindings(pem, now).map(({ level, text }) => `${level}: ${text}`)).toEqual(texts)
})
