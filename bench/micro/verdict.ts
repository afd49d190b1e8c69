import { bulkAnswer } from '../../src/bench/sink/answers.ts'
import { type Answer, AnswerReader } from '../../src/ship/answer.ts'
import { judge } from '../../src/ship/judging.ts'
import { noDelivery, wholeOf } from '../../src/ship/range.ts'
import { verdictOf } from '../../src/ship/verdict.ts'
import type { Case } from './case.ts'

/** As a batch of 4 MiB has. */
const documents = 12_000
/** As a socket gives them. */
const chunkBytes = 65_536
/** Of so many documents one is refused, and one is to come again. */
const refusedEach = 1000
const againEach = 100

/** From the bytes of an answer to what becomes of each document. */
export function verdictCases(): Case[] {
  const { pieces } = bulkAnswer(documents)
  const good = Buffer.concat(pieces)
  const mixed = mixedAnswer()
  const group = 'verdict'
  const base = { group, item: 'document', items: documents }
  const goodChunks = chunksOf(good)
  const mixedChunks = chunksOf(mixed)
  const answer = answerOf(mixedChunks)
  if (answer.kind !== 'items' || answerOf(goodChunks).kind !== 'done') throw new Error('the answers are not understood')
  const body = Buffer.from('{"create":{}}\n{"message":"a line"}\n'.repeat(documents))
  const outcomes = Array.from({ length: 8192 }, (_, at) => outcomeOf(at))
  return [
    {
      ...base,
      name: 'every document taken',
      // Many answers in one call: the first look at one compares 300 KB in some 10 µs.
      items: documents * answersAtOnce,
      bytes: good.length * answersAtOnce,
      run: () => {
        let kinds = 0
        for (let answers = 0; answers < answersAtOnce; answers++) kinds += answerOf(goodChunks).kind.length
        return kinds
      },
    },
    { ...base, name: 'one in 100 again, one in 1000 refused', bytes: mixed.length, run: () => answerOf(mixedChunks) },
    {
      ...base,
      name: '  and what becomes of each',
      bytes: 0,
      run: () => judge(body, wholeOf(body.length, [documents], 0, 0), answer.items, [noDelivery()], () => false),
    },
    {
      group,
      item: 'verdict',
      name: 'verdict by status and type',
      items: outcomes.length,
      bytes: 0,
      run: () => {
        let done = 0
        for (const { status, type } of outcomes) if (verdictOf(status, type, true) === 'done') done++
        return done
      },
    },
  ]
}

const answersAtOnce = 32

function answerOf(chunks: readonly Buffer[]): Answer {
  const reader = new AnswerReader(documents)
  for (const chunk of chunks) reader.feed(chunk)
  return reader.end()
}

function chunksOf(answer: Buffer): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < answer.length; at += chunkBytes) chunks.push(answer.subarray(at, at + chunkBytes))
  return chunks
}

function outcomeOf(at: number): { status: number; type: string } {
  if (at % refusedEach === refusedEach - 1) return { status: 400, type: 'document_parsing_exception' }
  if (at % againEach === againEach - 1) return { status: 429, type: 'es_rejected_execution_exception' }
  return { status: 201, type: '' }
}

/** As Elasticsearch gives it under `filter_path=errors,items.*.status,items.*.error.type`. */
function mixedAnswer(): Buffer {
  const items = Array.from({ length: documents }, (_, at) => {
    const { status, type } = outcomeOf(at)
    return { create: { status, ...(type === '' ? {} : { error: { type } }) } }
  })
  return Buffer.from(JSON.stringify({ errors: true, items }))
}
