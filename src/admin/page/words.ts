import { causeTexts, stateTexts, type Cause } from '../backpressure-words.ts'
import type { Figures } from '../figures.ts'
import { sentence } from './pieces.ts'
import { troublesOf, type Trouble } from './troubles.ts'

/** `well`: nothing to do; `busy`: it will pass, or can wait for the morning; `bad`: somebody should look now. */
type Tone = 'well' | Trouble['tone']

/** What a person should know first. */
export interface Words {
  readonly tone: Tone
  /** The tone for who does not see its colour, and as a mark. */
  readonly headline: string
  readonly mark: string
  /** Why it is not well, the worst first. */
  readonly troubles: readonly Trouble[]
  readonly phase: string
  readonly health: string
  readonly isHealthBad: boolean
  readonly state: string
}

const headlines: Readonly<Record<Tone, readonly [mark: string, headline: string]>> = {
  well: ['✓', 'Healthy'],
  busy: ['▲', 'Working, with remarks'],
  bad: ['✕', 'Needs attention'],
}

const healthWords: Readonly<Record<string, string>> = {
  unknown: 'was sent nothing yet',
  ok: 'takes documents',
  unreachable: 'does not answer',
  overloaded: 'asks for time',
  holding: 'refuses the target: someone has to mend it',
}

const phaseWords: Readonly<Record<Figures['phase'], string>> = {
  starting: 'starting: looking at the files for the first time',
  shipping: 'following and shipping',
  draining: 'stopping: shipping the rest',
}

/** What keeps lines from flowing, by the alert that tells of it (docs/operations.md). */
const causeAlerts: Readonly<Record<Exclude<Cause, 'none'>, string>> = {
  target: 'RemoraHolding',
  server_unreachable: 'RemoraUnreachable',
  server_refusing: 'RemoraServerRefusing',
  server_slow: 'RemoraServerSlow',
  state_disk: 'RemoraStateDiskHangs',
  memory_pressure: 'RemoraMemoryPressure',
  cpu_throttled: 'RemoraCpuThrottled',
  stalled: 'RemoraStalled',
  one_core: 'RemoraCannotKeepUp',
}

const mendedByNobody = new Set<Cause>(['target', 'server_unreachable', 'state_disk'])

/** What the server has said, or its connection, tells more. */
const ofServer = new Set<Cause>(['target', 'server_unreachable', 'server_refusing'])

/** What is in the way is trouble at once when it does not pass by itself, and else when nothing is read, or for so long. */
const patienceSeconds = 300

export function wordsOf(figures: Figures): Words {
  const { phase, health, backpressure } = figures
  // That a request is put off now and then is how the server's capacity is found.
  const isHealthBad =
    health === 'unreachable' || health === 'holding' || (health === 'overloaded' && backpressure.state !== 'flowing')
  const troubles = [...flowTroubles(figures), ...troublesOf(figures)].toSorted((a, b) => rankOf(a) - rankOf(b))
  const tone = troubles[0]?.tone ?? 'well'
  const [mark, headline] = headlines[tone]
  return {
    tone,
    headline,
    mark,
    troubles,
    phase: phaseWords[phase],
    health: healthWords[health] ?? health,
    isHealthBad,
    state: stateTexts[backpressure.state],
  }
}

const rankOf = ({ tone }: Trouble) => (tone === 'bad' ? 0 : 1)

/** The server may be in trouble although nothing waits for it yet. */
function flowTroubles({ health, healthDetail, backpressure: { state, cause, forSeconds } }: Figures): Trouble[] {
  const ofHealth: Cause = health === 'unreachable' ? 'server_unreachable' : health === 'holding' ? 'target' : 'none'
  return [...new Set([cause, ofHealth])]
    .filter((each) => each !== 'none')
    .map((each) => {
      const [what, wayOut] = causeTexts[each]
      const isLong = state === 'full' || forSeconds >= patienceSeconds
      const isBad = mendedByNobody.has(each) || (each !== 'one_core' && isLong)
      return {
        tone: isBad ? 'bad' : 'busy',
        title: sentence(what),
        detail: ofServer.has(each) ? healthDetail : '',
        wayOut: ofServer.has(each) ? `${wayOut} Meanwhile lines wait in their files: nothing is given up.` : wayOut,
        alert: causeAlerts[each],
      }
    })
}
