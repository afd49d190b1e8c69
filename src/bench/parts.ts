import type { Env } from '../config/load.ts'
import { elasticsearchTarget } from './elasticsearch/target.ts'
import type { Parts } from './run.ts'
import { startSink } from './sink/sink-process.ts'
import type { Mix } from './types.ts'
import { LineRing, textsOf } from './workload/lines.ts'
import { startWriter } from './workload/writer-process.ts'

/** Writer and target as processes of their own. @param env  has the credentials of the user's own server  @param say  see `elasticsearchTarget` */
export function realParts(env: Env, say?: (text: string) => void): Parts {
  return {
    writer: startWriter,
    target: (destination, workload) =>
      destination.kind === 'null'
        ? startSink(workload, destination.shape)
        : elasticsearchTarget(destination.url, workload, env, say),
  }
}

/** Bytes of a line of a mix, on average. @throws RemoraError when it is a sample that cannot be taken */
export function lineBytesOf(mix: Mix, seed: number): number {
  return new LineRing(textsOf(mix, seed), seed).meanBytes
}
