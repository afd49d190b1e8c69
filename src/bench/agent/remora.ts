import { fileURLToPath } from 'node:url'
import { version } from '../../version.ts'
import type { Program } from '../program.ts'

const main = fileURLToPath(new URL('../../main.ts', import.meta.url))

/** Documents name a Pod; the same in each run, so that ids of equal lines are equal. */
const podUid = '6f1c2f0a-9f5e-4a5e-8d53-7c1d2b8e4f60'

/**
 * Remora itself: the checkout's, the bundle if it is of the same sources, or the image's own.
 *
 * @param entry  another one's `main.ts` or `main.js`, for a comparison
 */
export function remoraProgram(entry: string = main): Program {
  return {
    name: 'remora',
    version: () => Promise.resolve(version),
    command: ({ directory, logs, url, index, settings, adminPort }) =>
      Promise.resolve({
        command: process.execPath,
        args: [entry, 'run'],
        env: {
          REMORA_ELASTICSEARCH_URL: url,
          REMORA_INDEX: index,
          REMORA_POD_UID: podUid,
          ...settings,
          REMORA_PATHS: `${logs.replaceAll(/[*?[{},]/g, '[$&]')}/*.log`,
          REMORA_STATE_DIR: `${directory}/state`,
          REMORA_ADMIN_PORT: String(adminPort),
        },
        stopSignal: 'SIGTERM',
      }),
  }
}
