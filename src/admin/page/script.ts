import { limits } from '../../base/limits.ts'
import { chartFunctions } from './charts.ts'
import { Live, liveFunctions, type LiveLimits } from './live.ts'
import { patchFunctions } from './patch.ts'
import { pieceFunctions } from './pieces.ts'
import { rateOf } from './rate.ts'
import { regionFunctions } from './regions.ts'
import { sampleFunctions } from './samples.ts'
import { tableFunctions } from './tables.ts'

/** What runs in the browser, by the names that they call each other. */
export const browserFunctions = [
  ...pieceFunctions,
  rateOf,
  ...tableFunctions,
  ...regionFunctions,
  ...sampleFunctions,
  ...chartFunctions,
  ...patchFunctions,
  ...liveFunctions,
]

/** The script of the page, of the functions as they stand in their files: types are stripped from those already. */
export function pageScript(): string {
  const bounds: LiveLimits = {
    pollMs: limits.statusPollMs,
    pollMaxMs: limits.statusPollMaxMs,
    pollRest: limits.statusPollRest,
    answerMaxMs: limits.statusAnswerMaxMs,
    samplesMax: limits.statusSamplesMax,
  }
  const library = "typeof uPlot === 'undefined' ? undefined : uPlot"
  return `(() => {
'use strict'
${browserFunctions.map((each) => `const ${each.name} = ${String(each)}`).join('\n')}
new ${Live.name}(${JSON.stringify(bounds)}, ${library}).start()
})()
`
}
