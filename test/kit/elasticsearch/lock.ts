import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '../../../src/base/errors.ts'

const beatMs = 1_000
const staleMs = 5_000

/**
 * Runs `work` while holding the file `path`, so that two processes do not do the same long work at once. A holder that
 * was killed stops touching the file and loses it after 5 s. Two holders at once stay possible (a suspended one that
 * wakes up), so `work` must be safe then too: this saves time, it does not guard correctness.
 */
export async function withLock<T>(path: string, waitMaxMs: number, work: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + waitMaxMs
  mkdirSync(dirname(path), { recursive: true })
  while (!tryLock(path)) {
    if (performance.now() > deadlineMs)
      throw new Error(`waited ${waitMaxMs} ms for ${path}, which another process holds`)
    await delay(250)
  }
  const beat = setInterval(() => touch(path), beatMs)
  try {
    return await work()
  } finally {
    clearInterval(beat)
    rmSync(path, { force: true })
  }
}

function tryLock(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  if (ageMs(path) > staleMs) rmSync(path, { force: true })
  return false
}

function ageMs(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return 0
  }
}

function touch(path: string): void {
  try {
    const now = new Date()
    utimesSync(path, now, now)
  } catch {
    // Another process thought this one dead and took the lock; the work is safe then too.
  }
}
