import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { version } from '../../src/version.ts'
import { built, describeKustomize, manifestsDirectory } from '../kit/kubernetes/kubectl.ts'
import { containersOf, hasPods, nameOf, podOf } from '../kit/kubernetes/manifest.ts'
import { violationsOf } from '../kit/kubernetes/restricted.ts'
import { isCustom, problemsOf, versions } from '../kit/kubernetes/schema.ts'

/** Every kustomization that is there, so that none can be forgotten. */
const kustomizations = readdirSync(manifestsDirectory, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('kustomization.yaml'))
  .map((name) => ({ name: dirname(name), file: join(manifestsDirectory, name) }))
  .map(({ name, file }) => ({ name, kind: (parse(readFileSync(file, 'utf8')) as { kind: string }).kind }))
const names = kustomizations.filter(({ kind }) => kind === 'Kustomization').map(({ name }) => name)

const refused = (name: string, by: string) => built(name).flatMap((each) => problemsOf(each, by))

/** The Kubernetes versions that a kustomization is for; the others refuse it. */
const since: Readonly<Record<string, string>> = {
  injection: '1.36',
  'injection-before-1.36': '1.34',
  'pre-1.29': '1.27',
}
const usual = '1.29'

const minor = (text: string) => Number(text.split('.')[1])

function isFor(name: string, wanted: string): boolean {
  return minor(wanted) >= minor(since[name] ?? usual)
}

test('there are kustomizations to look at', () => {
  expect(names).toContain('base')
  expect(names.length).toBeGreaterThan(6)
})

describeKustomize('each kustomization', () => {
  describe.each(names)('%s', (name) => {
    test('is built, and valid for each Kubernetes that it is for', () => {
      const manifests = built(name).filter((each) => !isCustom(each))
      const problems = versions
        .filter((each) => isFor(name, each))
        .flatMap((each) => manifests.flatMap((manifest) => problemsOf(manifest, each).map((what) => [each, what])))
      expect(problems).toEqual([])
    })

    test('passes Pod Security restricted', () => {
      const pods = built(name).filter(hasPods)
      expect(pods.flatMap((each) => violationsOf(podOf(each).spec).map((what) => [nameOf(each), what]))).toEqual([])
    })

    test('Remora is of this version, and every container has a memory limit', () => {
      const containers = built(name).filter(hasPods).flatMap(containersOf)
      const ours = containers.filter(({ image }) => /(^|\/)remora:/.test(image))
      expect(ours.filter(({ image }) => !image.endsWith(`remora:${version}`))).toEqual([])
      // Those of the example are somebody else's.
      const limited = name.startsWith('examples/') ? ours : containers
      expect(limited.filter(({ resources }) => resources?.limits?.memory === undefined)).toEqual([])
      // A name without a tag, or `latest`, is another one tomorrow.
      expect(containers.filter(({ image }) => !/:[^/:]+$/.test(image) || image.endsWith(':latest'))).toEqual([])
    })
  })

  test('what is for later versions only is refused by the one before', () => {
    expect(refused('injection', '1.35')).toContainEqual(expect.stringMatching(/1\.35 has no admissionregistration/))
    expect(refused('injection-before-1.36', '1.33')).toContainEqual(expect.stringMatching(/1\.33 has no/))
    // The native sidecar itself.
    expect(refused('base', '1.27')).toEqual([
      'apps/v1 Deployment.spec.template.spec.initContainers[0].restartPolicy: unknown field',
    ])
  })
})

test('files that a comment names are there', () => {
  const texts = readdirSync(manifestsDirectory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ name, text: readFileSync(join(manifestsDirectory, name), 'utf8') }))
  const missing = texts.flatMap(({ name, text }) =>
    [...text.matchAll(/\.\.\/[\w./-]*\w|\bmanifests\/[\w./-]*\w/g)]
      .map(([found]) => found)
      .map((found) =>
        found.startsWith('..')
          ? join(manifestsDirectory, dirname(name), found)
          : join(manifestsDirectory, relative('manifests', found)),
      )
      .filter((path) => !existsSync(path))
      .map((path) => `${name}: ${path}`),
  )
  expect(missing.filter((each) => !each.includes('test/manifests'))).toEqual([])
})
