import { sleep, type Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Env } from '../config/load.ts'

/**
 * Waits before a process ends that cannot start, in a Pod. A kubelet starts the application when it has seen its native sidecar
 * run, and it looks about once a second: one that has ended by then was never seen, and the application waits through
 * the sidecar's restarts, each later than the one before (seen on 1.34, `docs/shared-fate.md`). A wrong setting of the log
 * shipper must not do that. Anywhere else, or when a signal comes, it ends at once.
 *
 * @param signalled  settles with the first signal
 */
export async function stayInPod(env: Env, clock: Clock, signalled: Promise<unknown>): Promise<void> {
  // The kubelet sets it in every container, whatever `enableServiceLinks` says.
  if ((env['KUBERNETES_SERVICE_HOST'] ?? '') === '') return
  const over = new AbortController()
  void signalled.then(() => over.abort())
  await sleep(clock, limits.refusalStayMs, over.signal)
}
