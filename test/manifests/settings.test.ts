import { expect, test } from 'vitest'
import { parseBytes } from '../../src/base/units.ts'
import { loadSettings } from '../../src/config/load.ts'
import type { Settings } from '../../src/config/types.ts'
import { buildOf, built, describeKustomize } from '../kit/kubernetes/kubectl.ts'
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

describeKustomize('the settings of the manifests', () => {
  test.each([
    ['base', () => built('base')],
    ['pre-1.29', () => built('pre-1.29')],
    ['examples/by-name', () => built('examples/by-name')],
    ['the base with the volume guard', guarded],
  ])('%s: each is known and right, and agrees with the Pod', (_, manifestsOf) => {
    const manifests = manifestsOf()
    const shipping = manifests.filter((each) => hasPods(each) && sidecarOf(each) !== undefined)
    expect(shipping).not.toEqual([])
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
      expect(settings.shutdownGraceMs).toBeLessThan((spec.terminationGracePeriodSeconds ?? 30) * 1_000)
      expect(ports).toEqual([{ name: 'remora', containerPort: settings.adminPort }])
      expect(settings).toMatchObject({ podUid: expect.stringMatching(/./), nodeName: 'node-1' })
    }
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

  test('the probe asks the admin port, and Elasticsearch nothing', () => {
    const { livenessProbe, readinessProbe, startupProbe } = sidecarOf(theOne(built('base'), 'Deployment'))
    expect(livenessProbe.httpGet).toEqual({ path: '/livez', port: 'remora' })
    // A Service would lose the application for it.
    expect(readinessProbe).toBeUndefined()
    // With a native sidecar it would be what the application waits for.
    expect(startupProbe).toBeUndefined()
  })

  test('the memory limit is the one of the container: no variable freezes it', () => {
    const sidecar = sidecarOf(theOne(built('base'), 'Deployment'))
    expect(JSON.stringify(sidecar.env)).not.toContain('resourceFieldRef')
    expect(sidecar.env.map(({ name }: Manifest) => name)).not.toContain('REMORA_MEMORY_LIMIT')
  })
})

function bytesOf(quantity: string): number {
  const parsed = parseBytes(quantity)
  if (!parsed.ok) throw new Error(parsed.message)
  return parsed.value
}
