import fs from 'node:fs'
import path from 'node:path'

/**
 * A Secret as the kubelet mounts it: each key is a link to `..data/KEY`, and `..data` a link to a directory that is
 * replaced as a whole. Source: Kubernetes, `pkg/volume/util/atomic_writer.go`.
 */
export class SecretVolume {
  readonly directory: string
  #version = 0

  constructor(directory: string, content: Readonly<Record<string, string>>) {
    this.directory = directory
    fs.mkdirSync(directory, { recursive: true })
    this.swap(content)
  }

  path(key: string): string {
    return path.join(this.directory, key)
  }

  swap(content: Readonly<Record<string, string>>): void {
    const old = `..version_${this.#version}`
    const name = `..version_${++this.#version}`
    fs.mkdirSync(this.path(name))
    for (const [key, text] of Object.entries(content)) fs.writeFileSync(this.path(`${name}/${key}`), text)
    fs.symlinkSync(name, this.path('..data_tmp'))
    fs.renameSync(this.path('..data_tmp'), this.path('..data'))
    for (const key of Object.keys(content)) {
      if (!fs.existsSync(this.path(key))) fs.symlinkSync(`..data/${key}`, this.path(key))
    }
    fs.rmSync(this.path(old), { recursive: true, force: true })
  }
}
