import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { parseBytes } from '../../src/base/units.ts'
import { loadSettings } from '../../src/config/load.ts'
import type { Settings } from '../../src/config/types.ts'
import { buildOf, built, describeKustomize, kubectl, manifestsDirectory } from '../kit/kubernetes/kubectl.ts'
import { environmentOf, hasPods, nameOf, podOf, sidecarOf, theOne, type Manifest } from '../kit/kubernetes/manifest.ts'

const noFile = () => {
  throw new Error('no file is read')
}

/** What Remora would run with, in that Pod. */
function settingsIn(manifest: Manifest, manifests: readonly Manifest[]): Settings {
  const { settings, problems, notices } = loadSettings(environmentOf(sidecarOf(manifest), manifests), noFile)
  expect({ problems, notices }).toEqual({ problems: [], notices: [] })
  if (settings === undefined) throw new Error('no settings')
  return settings
}

function policyOf(manifests: readonly Manifest[]): string {
  return settingsIn(theOne(manifests, 'Deployment'), manifests).volumePolicy
}

const guarded = () =>
  buildOf({
    'kustomization.yaml': 'resources: [MANIFESTS/base]\ncomponents: [MANIFESTS/components/volume-guard]\n',
  }).manifests

/** Source: Kubernetes API reference, PodSpec, `terminationGracePeriodSeconds`. */
const usualGraceSeconds = 30

/** Those with a sidecar in them. */
function ownKustomizations(): readonly string[] {
  if (kubectl === undefined) return []
  const names = readdirSync(manifestsDirectory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('/kustomization.yaml') && !name.startsWith('components/'))
    .map(dirname)
  return names.filter((name) => built(name).some((each) => hasPods(each) && sidecarOf(each) !== undefined))
}

test.runIf(kubectl !== undefined)('there are manifests with a sidecar', () => {
  expect(ownKustomizations()).toEqual(expect.arrayContaining(['base', 'development', 'examples/by-name', 'pre-1.29']))
})

describeKustomize('the settings of the manifests', () => {
  test.each([
    ...ownKustomizations().map((name) => [name, () => built(name)] as const),
    ['the base with the volume guard', guarded] as const,
  ])('%s: each is known and right, and agrees with the Pod', (_, manifestsOf) => {
    const manifests = manifestsOf()
    const shipping = manifests.filter((each) => hasPods(each) && sidecarOf(each) !== undefined)
    for (const each of shipping) {
      const settings = settingsIn(each, manifests)
      const { spec } = podOf(each)
      const { volumeMounts, ports } = sidecarOf(each)
      const sizeOf = (path: string) => {
        const { name } = volumeMounts.find(({ mountPath }: Manifest) => mountPath === path)
        return bytesOf(spec.volumes.find((volume: Manifest) => volume.name === name).emptyDir.sizeLimit)
      }
      expect(settings.volumeLimitBytes, nameOf(each)).toBe(sizeOf('/var/log/app'))
      expect(settings.paths.every((path) => path.startsWith('/var/log/app/'))).toBe(true)
      // The dead letters, and as much again for the checkpoint, its previous one and what is being written.
      expect(settings.deadLetterBytesMax * 2).toBeLessThanOrEqual(sizeOf(settings.stateDir))
      expect(settings.shutdownGraceMs).toBeLessThan((spec.terminationGracePeriodSeconds ?? usualGraceSeconds) * 1_000)
      expect(ports).toEqual([{ name: 'remora', containerPort: settings.adminPort }])
      expect(settings).toMatchObject({ podUid: expect.stringMatching(/./), nodeName: 'node-1' })
    }
  })

  // The components change nothing of the Pod but what is Remora's: most have the grace that Kubernetes gives.
  test('the grace that Remora takes unless it is told is less than a Pod has that says nothing', () => {
    const { settings } = loadSettings({ REMORA_ELASTICSEARCH_URL: 'http://es:9200' }, noFile)
    expect(settings?.shutdownGraceMs).toBeLessThan(usualGraceSeconds * 1_000)
    const changes = readdirSync(join(manifestsDirectory, 'components'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.yaml'))
      .filter((name) => /^[^#]*GracePeriod/m.test(readFileSync(join(manifestsDirectory, 'components', name), 'utf8')))
    expect(changes).toEqual([])
  })

  test('the base keeps everything, and may not write to the log volume; with the guard it deletes what is shipped', () => {
    expect(policyOf(built('base'))).toBe('keep')
    expect(policyOf(guarded())).toBe('delete-shipped')
  })

  test('an ordinary container waits for quiet, which ends within the grace', () => {
    const manifests = built('pre-1.29')
    const { drainQuietMs, shutdownGraceMs } = settingsIn(theOne(manifests, 'Deployment'), manifests)
    expect(drainQuietMs).toBeGreaterThan(0)
    expect(drainQuietMs).toBeLessThan(shutdownGraceMs)
    expect(settingsIn(theOne(built('base'), 'Deployment'), built('base')).drainQuietMs).toBe(0)
  })

  test('probes ask the admin port, and Elasticsearch nothing', () => {
    const { livenessProbe, readinessProbe, startupProbe } = sidecarOf(theOne(built('base'), 'Deployment'))
    expect(livenessProbe.httpGet).toEqual({ path: '/livez', port: 'remora' })
    expect(readinessProbe.httpGet).toEqual(livenessProbe.httpGet)
    // A Pod gets no traffic while its sidecar is not ready: before that Remora is restarted.
    expect(toleratedSeconds(readinessProbe)).toBeGreaterThanOrEqual(toleratedSeconds(livenessProbe))
    // With a native sidecar it would be what the application waits for.
    expect(startupProbe).toBeUndefined()
  })

  test('the memory limit is the one of the container: no variable freezes it', () => {
    const sidecar = sidecarOf(theOne(built('base'), 'Deployment'))
    expect(JSON.stringify(sidecar.env)).not.toContain('resourceFieldRef')
    expect(sidecar.env.map(({ name }: Manifest) => name)).not.toContain('REMORA_MEMORY_LIMIT')
  })
})

const toleratedSeconds = ({ periodSeconds, failureThreshold }: Manifest): number => periodSeconds * failureThreshold

function bytesOf(quantity: string): number {
  const parsed = parseBytes(quantity)
  if (!parsed.ok) throw new Error(parsed.message)
  return parsed.value
}
