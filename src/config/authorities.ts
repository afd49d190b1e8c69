/** The PEM files that settings name, looked into at start: better by name now than as a riddle at the first request. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { codeOf } from '../base/errors.ts'
import { quoted } from '../base/units.ts'
import type { Problem } from './problem.ts'
import { explainReadError } from './read-file.ts'

type ReadFile = (path: string) => string

/** Whether the file of certificate authorities can be read, is whole, and has at least one that can be used. */
export function checkAuthorities(variable: string, path: string, readFile: ReadFile): Problem[] {
  const found = certificatesIn(variable, path, readFile)
  return found.kind === 'problem' ? [found.problem] : []
}

/** Whether certificate and key of the client can be read, and fit each other. Never a word of their content. */
export function checkClientPair(
  cert: { readonly variable: string; readonly path: string },
  key: { readonly variable: string; readonly path: string },
  readFile: ReadFile,
): Problem[] {
  const certificates = certificatesIn(cert.variable, cert.path, readFile)
  const privateKey = keyIn(key.variable, key.path, readFile)
  const problems = [certificates, privateKey].flatMap((found) => (found.kind === 'problem' ? [found.problem] : []))
  if (certificates.kind === 'problem' || privateKey.kind === 'problem') return problems
  // The first one is the client's own: that is the order in which they are sent.
  if (certificates.value[0]?.checkPrivateKey(privateKey.value) === true) return []
  const message = `the key in it does not belong to the first certificate in ${cert.variable}`
  const wayOut = 'name the key that the certificate was made with; the own certificate stands before its authorities'
  return [{ variable: key.variable, message: `file ${quoted(key.path, 500)}: ${message}`, wayOut }]
}

type Found<T> = { readonly kind: 'found'; readonly value: T } | { readonly kind: 'problem'; readonly problem: Problem }

function certificatesIn(variable: string, path: string, readFile: ReadFile): Found<readonly X509Certificate[]> {
  return lookInto<readonly X509Certificate[]>(variable, path, readFile, (pem) => {
    const begun = pem.split('-----BEGIN CERTIFICATE-----').length - 1
    if (begun === 0) {
      return ['there is no PEM certificate in it', 'name a file with -----BEGIN CERTIFICATE----- in it']
    }
    const blocks = certificateBlocks(pem)
    const read = blocks.flatMap((block) => certificateFrom(block) ?? [])
    // Half a file, while it is written: what it lacks may be the one that is needed.
    if (blocks.length < begun) return ['it ends within a certificate', 'put all of it there, to its -----END line']
    if (read.length === 0) return ['no certificate in it can be read', 'put a whole PEM certificate into it']
    return read
  })
}

function keyIn(variable: string, path: string, readFile: ReadFile): Found<KeyObject> {
  return lookInto<KeyObject>(variable, path, readFile, (pem) => {
    if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem)) {
      return ['the key in it is encrypted', 'give it without a passphrase: openssl pkey -in KEY -out PLAIN']
    }
    try {
      return createPrivateKey(pem)
    } catch (error) {
      return [
        `there is no private key in it that can be read (${codeOf(error) || 'no code'})`,
        'name a PEM private key',
      ]
    }
  })
}

type Refusal = readonly [message: string, wayOut: string]

function lookInto<T extends object>(
  variable: string,
  path: string,
  readFile: ReadFile,
  read: (pem: string) => T | Refusal,
): Found<T> {
  let pem: string
  try {
    pem = readFile(path)
  } catch (error) {
    return { kind: 'problem', problem: { variable, ...explainReadError(path, error) } }
  }
  const value = read(pem)
  if (!isRefusal(value)) return { kind: 'found', value }
  return { kind: 'problem', problem: { variable, message: `file ${quoted(path, 500)}: ${value[0]}`, wayOut: value[1] } }
}

function isRefusal(value: object | Refusal): value is Refusal {
  return Array.isArray(value) && typeof value[0] === 'string'
}

/** Each PEM certificate of a text, whole ones only. */
export function certificateBlocks(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----(?:(?!-----BEGIN).)*?-----END CERTIFICATE-----/gs) ?? []
}

/** Undefined when it cannot be read. */
export function certificateFrom(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block)
  } catch {
    return undefined
  }
}
