import { Templates } from '../../src/encode/template.ts'
import { Generation } from '../../src/follow/generation.ts'
import { Schedule } from '../../src/follow/schedule.ts'
import { Arena } from '../../src/queue/arena.ts'
import { Batch } from '../../src/queue/batch.ts'
import { sealAfterMs } from '../../src/queue/sealing.ts'
import type { Case } from './case.ts'

const turns = 4096
const files = 1000
const spansInBatch = 64
const slots = 4

/** Whose turn it is, where the bytes go and when they leave: for each turn, each batch. */
export function queueCases(): Case[] {
  const generations = Array.from({ length: files }, (_, at) => {
    const path = `/var/log/app/app-${at}.log`
    return new Generation(path, path, 0, 0, 1000)
  })
  const group = 'queue'
  const bytes = 0
  return [
    {
      group,
      name: `schedule: ${files} files in turn`,
      item: 'turn',
      items: files * 4,
      bytes,
      run: scheduling(generations),
    },
    { group, name: 'batch: a span for each turn', item: 'turn', items: turns, bytes, run: () => batches(generations) },
    { group, name: 'slot taken and given back', item: 'slot', items: turns, bytes, run: slotsInTurn() },
    { group, name: 'sealing: now, later or never', item: 'decision', items: turns * 4, bytes, run: sealing },
    { group, name: 'template of another file', item: 'turn', items: files, bytes, run: templates(generations) },
  ]
}

function scheduling(generations: readonly Generation[]): () => number {
  const schedule = new Schedule()
  for (const generation of generations) schedule.offer(generation)
  return () => {
    for (let turn = 0; turn < files * 4; turn++) schedule.offer(schedule.next()!)
    return schedule.size
  }
}

function batches(generations: readonly Generation[]): number {
  let documents = 0
  for (let from = 0; from < turns; from += spansInBatch) {
    const batch = new Batch<number, Generation, { readonly offset: number }>(0, 0)
    for (let span = 1; span <= spansInBatch; span++) {
      batch.add(generations[span]!, from, { offset: from + 1000 }, 10, span * 2000)
    }
    documents += batch.documents
  }
  return documents
}

function slotsInTurn(): () => number {
  const arena = new Arena(slots, () => ({ made: true }))
  return () => {
    for (let taken = 0; taken < turns; taken += slots) {
      const held = Array.from({ length: slots }, () => arena.take()!)
      for (const slot of held) arena.give(slot)
    }
    return arena.made
  }
}

function sealing(): number {
  let nowOrLater = 0
  for (let at = 0; at < turns * 4; at++) {
    const facts = { documents: at & 7, ageMs: at & 255, busy: (at & 16) !== 0, draining: (at & 1024) !== 0 }
    if (sealAfterMs(facts, 200) !== undefined) nowOrLater++
  }
  return nowOrLater
}

function templates(generations: readonly Generation[]): () => number {
  const made = new Templates(new Map([['kubernetes.pod.uid', '6f1c2f0a-9f5e-4a5e-8d53-7c1d2b8e4f60']]))
  return () => {
    let bytes = 0
    for (const { path } of generations) {
      bytes += made.of({ path, generationId: 'AAAAAAAAAAAA', readAtMs: Date.UTC(2026, 10, 22), seenMs: 0 }).prefix
        .length
    }
    return bytes
  }
}
