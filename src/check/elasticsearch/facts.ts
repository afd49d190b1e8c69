/** Asks one address everything, within one deadline. */
import { askerOf, type Access, type Asked } from './ask.ts'
import type { Discretion } from '../discretion.ts'
import { identityOf, type Credentials, type Identity } from './identity.ts'
import { askPrivileges, type Privileges } from './privileges.ts'
import {
  aliasPath,
  blocksFrom,
  clusterSettingsFrom,
  clusterSettingsPath,
  resolvePath,
  settingsPath,
  targetFrom,
  templateFrom,
  templatesPath,
  writeIndexOf,
} from './target.ts'
import type { TargetFacts } from './target-findings.ts'
import { unreachedFinding } from './unreached.ts'

export interface ServerFacts extends Identity {
  /** Undefined where the address is not usable. */
  readonly details: { readonly privileges: Privileges; readonly target: TargetFacts } | undefined
}

export interface Question {
  /** Index, alias or data stream. */
  readonly target: string
  readonly access: Access
  readonly credentials: Credentials
  readonly deadlineMs: number
}

export async function serverFactsOf(url: string, question: Question, discretion: Discretion): Promise<ServerFacts> {
  const { target, access, credentials, deadlineMs } = question
  const deadline = AbortSignal.timeout(deadlineMs)
  const ask = askerOf(url, access, deadline, deadlineMs)
  const root = await ask('GET', '/')
  if (root.kind === 'failed') {
    const finding = unreachedFinding(url, root, {
      certificate: root.certificate,
      authoritiesSet: access.ca !== undefined,
      fingerprintSet: access.caFingerprint !== undefined,
      clientCertSet: access.clientCert !== undefined,
      deadlineMs,
      proxy: access.proxies?.get(url)?.shown,
    })
    return { product: 'elasticsearch', finding, usable: false, clusterUuid: '', details: undefined }
  }
  const identity = identityOf(url, root, credentials, discretion)
  if (!identity.usable) return { ...identity, details: undefined }
  const privileges = await askPrivileges(identity.product, target, ask, discretion)
  return { ...identity, details: { privileges, target: await targetFactsOf(target, (path) => ask('GET', path)) } }
}

async function targetFactsOf(name: string, get: (path: string) => Promise<Asked>): Promise<TargetFacts> {
  const target = targetFrom(name, await get(resolvePath(name)))
  const cluster = clusterSettingsFrom(name, await get(clusterSettingsPath))
  const aliasWrites = target.kind === 'alias' ? writeIndexOf(name, await get(aliasPath(name))) : 'unknown'
  const template = target.kind === 'absent' ? templateFrom(name, await get(templatesPath)) : 'unknown'
  const exists = target.kind !== 'absent' && target.kind !== 'unknown'
  const writeIndex = target.kind === 'data stream' ? target.writeIndex : aliasWrites === 'unknown' ? name : aliasWrites
  const blocks =
    exists && writeIndex !== 'none'
      ? blocksFrom(await get(settingsPath(name)), typeof writeIndex === 'object' ? writeIndex.name : writeIndex)
      : undefined
  return { target, aliasWrites, blocks, template, cluster }
}
