import type { X509Certificate } from 'node:crypto'
import { certificateBlocks, certificateFrom } from '../../config/authorities.ts'
import { error, ok, warning, type Finding } from '../finding.ts'
import { count, someOf } from '../words.ts'

/**
 * The certificates of REMORA_CA_FILE. Node leaves out what it cannot read without a word, and then nobody is trusted.
 *
 * @param pem the file's text
 */
export function authoritiesFindings(pem: string, nowMs: number): Finding[] {
  const blocks = certificateBlocks(pem)
  const read = blocks.map(certificateFrom).filter((certificate) => certificate !== undefined)
  if (read.length === 0) {
    const wayOut = 'Put a whole PEM certificate into it, from -----BEGIN to -----END CERTIFICATE-----'
    return [error('REMORA_CA_FILE: no certificate in it can be read', wayOut)]
  }
  const findings: Finding[] = [
    ok(`REMORA_CA_FILE: ${count(read.length, 'authority', 'authorities')} (${someOf(read.map(nameOf))})`),
  ]
  if (read.length < blocks.length) {
    const text = `REMORA_CA_FILE: ${blocks.length - read.length} of its ${blocks.length} certificates cannot be read`
    findings.push(warning(text, 'Put them into it again, whole'))
  }
  const expired = read.filter(({ validToDate }) => validToDate.getTime() < nowMs)
  if (expired.length > 0) {
    const text = `REMORA_CA_FILE: expired: ${someOf(expired.map(nameOf))}`
    findings.push(warning(text, 'Put the new certificate of this authority into it'))
  }
  return findings
}

/** The certificate that Remora itself shows. That it can be read, and fits its key, is checked with the settings. */
export function clientCertFindings(pem: string, nowMs: number): Finding[] {
  const [own] = certificateBlocks(pem).map(certificateFrom)
  if (own === undefined) return []
  const until = own.validToDate.getTime()
  const what = `REMORA_CLIENT_CERT_FILE: ${nameOf(own)}`
  if (until < nowMs) return [error(`${what} has expired on ${own.validTo}`, 'Put a new certificate and its key there')]
  if (own.validFromDate.getTime() > nowMs) {
    return [error(`${what} is not valid before ${own.validFrom}`, 'Check the clock of this machine')]
  }
  return [ok(`${what}, valid until ${own.validTo}`)]
}

/** The common name, or else all there is. */
const nameOf = ({ subject }: X509Certificate) => /^CN=(.+)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ')
