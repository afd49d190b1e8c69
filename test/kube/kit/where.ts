import { spawnSync } from 'node:child_process'
import { kubectl } from '../../kit/kubernetes/kubectl.ts'

/** Where the tests run, from the environment. */
export const where = {
  /** The cluster. Never the one that kubectl would take by itself: somebody may work there. */
  kubeconfig: process.env['KUBECONFIG'] ?? '',
  /** Remora's image, as the cluster's nodes have or get it. */
  image: process.env['TEST_KUBE_IMAGE'] ?? '',
  /** An address of this machine at which Pods reach it: the Elasticsearch of the tests is here. */
  host: process.env['TEST_KUBE_HOST'] ?? '',
  /**
   * How often a container is killed in a row. A kubelet waits longer after each time, up to five minutes; with
   * `crashLoopBackOff: {maxContainerRestartPeriod: 1s}` (feature gate KubeletCrashLoopBackOffMax) it may be 20.
   */
  kills: Number(process.env['TEST_KUBE_KILLS'] ?? 4),
}

/** Before all tests: says what is missing, once. */
export default function setup(): void {
  const missing = [
    kubectl === undefined && 'kubectl is not on the PATH (KUBECTL may name it)',
    where.kubeconfig === '' && 'KUBECONFIG names no cluster',
    where.image === '' && 'TEST_KUBE_IMAGE names no image of Remora that the cluster has or can pull',
    where.host === '' && 'TEST_KUBE_HOST is not the address of this machine at which Pods reach it',
  ].filter((each) => each !== false)
  if (missing.length > 0) throw new Error(`test:kube cannot run: ${missing.join('; ')}`)
  const { status, stderr } = spawnSync(kubectl ?? '', ['get', '--raw', '/readyz'], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  if (status !== 0) throw new Error(`the cluster of KUBECONFIG does not answer: ${stderr.trim()}`)
}
