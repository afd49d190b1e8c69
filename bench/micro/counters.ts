import { getHeapStatistics } from 'node:v8'

/** CPU time of this thread, ns: on a shared machine others take wall time, and none of this. To a microsecond. */
export function threadNs(): number {
  // The kernel adds up what a running thread has used when its timer ticks, every few milliseconds, or when somebody asks for
  // the whole process. Source: Linux, kernel/sched/cputime.c, `thread_group_cputime`.
  process.cpuUsage()
  const { user, system } = process.threadCpuUsage()
  return (user + system) * 1000
}

/**
 * Bytes ever allocated on the heap of JavaScript. It needs no collector to stand still, as the size of the heap does; but it
 * counts whole pieces that a thread takes in advance, and each look takes one: a tenth of a MiB, more or less. So it is for
 * long loops. Source: V8, `HeapStatistics::total_allocated_bytes`.
 */
export function allocatedEver(): number {
  return getHeapStatistics().total_allocated_bytes
}
