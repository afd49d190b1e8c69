import type { Case, Cases } from './case.ts'
import { frontierCases } from './frontier.ts'
import { identityCases } from './identity.ts'
import { kernelCases } from './kernel.ts'
import { queueCases } from './queue.ts'
import { readingCases } from './reading.ts'
import { verdictCases } from './verdict.ts'
import { wayCases } from './way-case.ts'

/** @param only  those whose group and name hold it */
export function casesOf(only = ''): Cases {
  const [reading, way] = [readingCases(), wayCases()]
  const all: readonly Case[] = [
    ...kernelCases(),
    ...reading.cases,
    ...queueCases(),
    ...frontierCases(),
    ...verdictCases(),
    ...identityCases(),
    ...way.cases,
  ]
  const cases = all.filter(({ group, name }) => `${group} ${name}`.includes(only))
  const close = () => {
    reading.close?.()
    way.close?.()
  }
  return { cases, close }
}
