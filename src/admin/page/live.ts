/** Keeps the status page up to date. In the browser only: see `pieces.ts`. Types are only what is used of it. */
import { chartText, drawChart, type Drawn, type PlotElement, type PlotLibrary } from './charts.ts'
import { patch, type PageNode } from './patch.ts'
import { ageText, clockText, visible } from './pieces.ts'
import { iconFor, iconOf, regionsOf, saidOf, silentTitleOf, titleOf } from './regions.ts'
import { addSample, charts, emptyColumns, type Chart, type Columns } from './samples.ts'
import type { Status } from './status.ts'

export interface LiveLimits {
  readonly pollMs: number
  readonly pollMaxMs: number
  readonly pollRest: number
  readonly answerMaxMs: number
  readonly samplesMax: number
}

interface PageElement extends PageNode, PlotElement {
  value: string
  hidden: boolean
  addEventListener(name: string, run: (event: { preventDefault(): void }) => void): void
  getAttribute(name: string): string | null
  setAttribute(name: string, value: string): void
}

declare const document: {
  readonly hidden: boolean
  title: string
  getElementById(id: string): PageElement | null
  addEventListener(name: string, run: () => void): void
}
declare const window: { matchMedia(query: string): { addEventListener(name: string, run: () => void): void } }
declare const location: { readonly pathname: string }
declare const history: { replaceState(state: null, title: string, url: string): void }
declare const ResizeObserver: new (run: () => void) => { observe(element: PageElement): void }

interface Drawing {
  readonly chart: Chart
  readonly columns: Columns
  drawn: Drawn | undefined
  widthPx: number
}

/** Typing is over when nothing came for so long. */
function typingMs(): number {
  return 250
}

function refusalsMax(): number {
  return 3
}

export class Live {
  readonly #limits: LiveLimits
  /** Undefined: this installation has none. */
  readonly #library: PlotLibrary | undefined
  readonly #drawings: readonly Drawing[]
  #last: Status | undefined
  /** Of the last answer, however old. */
  #place: Status['place'] | undefined
  #asking: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #isPaused = false
  /** So often in a row it has asked for time. */
  #refusals = 0
  /** The trouble that is shown; an empty one is none. */
  #trouble = ''

  constructor(limits: LiveLimits, library: PlotLibrary | undefined) {
    this.#limits = limits
    this.#library = library
    this.#drawings = charts().map((chart) => ({ chart, columns: emptyColumns(chart), drawn: undefined, widthPx: 0 }))
  }

  start(): void {
    const pause = this.#element('pause')
    pause.hidden = false
    pause.addEventListener('click', () => this.#pause(!this.#isPaused))
    this.#element('find').addEventListener('input', () => this.#askIn(typingMs()))
    this.#element('search').addEventListener('submit', (event) => {
      event.preventDefault()
      this.#askIn(0)
    })
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#rest()
      else if (!this.#isPaused) this.#askIn(0)
    })
    if (this.#library !== undefined) this.#showCharts(this.#library)
    this.#askIn(0)
  }

  #showCharts(library: PlotLibrary): void {
    this.#element('charts').hidden = false
    window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw(library, true))
    new ResizeObserver(() => this.#draw(library, false)).observe(this.#element('charts'))
  }

  #pause(isPaused: boolean): void {
    this.#isPaused = isPaused
    const pause = this.#element('pause')
    pause.textContent = isPaused ? 'Go on' : 'Pause'
    if (!isPaused) return this.#askIn(0)
    this.#rest()
    this.#say('when', 'Paused: nothing is asked.')
  }

  /** Nobody looks: nothing is asked. What happens meanwhile is a gap. */
  #rest(): void {
    clearTimeout(this.#timer)
    this.#asking?.abort()
    this.#asking = undefined
    this.#addSamples(undefined)
    this.#last = undefined
  }

  #askIn(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ask(), delayMs)
  }

  async #ask(): Promise<void> {
    this.#asking?.abort()
    const asking = new AbortController()
    this.#asking = asking
    const { pollMs, pollMaxMs, pollRest, answerMaxMs } = this.#limits
    const { value: find } = this.#element('find')
    const startedMs = performance.now()
    let restMs = pollMs
    try {
      const signal = AbortSignal.any([asking.signal, AbortSignal.timeout(answerMaxMs)])
      const query = find === '' ? '' : `?find=${encodeURIComponent(find)}`
      const response = await fetch(`status.json${query}`, { cache: 'no-store', signal })
      // It has much to do, and answers a moment later.
      if (response.status === 503 && this.#refusals++ < refusalsMax()) return this.#askIn(pollMs / 2)
      if (!response.ok)
        throw new Error(`it answers ${response.status}: ${(await response.text()).slice(0, 200).trim()}`)
      this.#refusals = 0
      const status = (await response.json()) as Status
      if (asking.signal.aborted) return
      // Whose answers take long has little to spare.
      restMs = (performance.now() - startedMs) * pollRest
      history.replaceState(null, '', `${location.pathname}${query}`)
      this.#show(status)
    } catch (error) {
      if (asking.signal.aborted) return
      restMs = performance.now() - startedMs
      this.#fail(error instanceof Error ? error.message : String(error))
    }
    if (this.#isPaused || document.hidden) return
    restMs = Math.min(pollMaxMs, Math.max(pollMs, restMs))
    this.#askIn(restMs)
    this.#tell(restMs)
  }

  #show(status: Status): void {
    const before = this.#last
    // A question out of turn, for another name: what happens in a second is not told from a moment.
    const isSoon = before !== undefined && status.nowMs - before.nowMs < this.#limits.pollMs / 2
    const since = isSoon ? undefined : before
    for (const [id, contents] of Object.entries(regionsOf(status, since))) {
      if (isSoon && (id === 'now' || id === 'requests')) continue
      patch(this.#element(id), contents)
    }
    if (!isSoon) {
      this.#addSamples(status)
      this.#last = status
    }
    this.#place = status.place
    document.title = visible(titleOf(status))
    this.#set('icon', 'href', iconOf(status))
    this.#say('said', saidOf(status))
    this.#trouble = ''
    this.#element('trouble').hidden = true
    this.#set('main', 'class', '')
  }

  #fail(why: string): void {
    if (this.#trouble === '') this.#addSamples(undefined)
    if (this.#trouble === why) return
    this.#trouble = why
    // Nobody is to take what it was for what it is.
    this.#set('main', 'class', 'old')
    document.title = visible(silentTitleOf(this.#place))
    this.#set('icon', 'href', iconFor('bad'))
    const since = this.#last === undefined ? '' : ` What is shown is of ${clockText(this.#last.nowMs)}.`
    this.#say(
      'trouble',
      `Remora does not answer (${why}). It is asked again; look whether the Pod is still there, and the way to it.${since}`,
    )
    this.#element('trouble').hidden = false
  }

  #tell(restMs: number): void {
    if (this.#last === undefined) return
    this.#say('when', `As of ${clockText(this.#last.nowMs)}; looks again every ${ageText(restMs / 1000)}.`)
  }

  /** @param status  undefined: nobody has answered */
  #addSamples(status: Status | undefined): void {
    for (const { chart, columns } of this.#drawings) {
      const atMs = status?.nowMs ?? (columns[0]?.at(-1) ?? 0) * 1000 + 1
      if (status !== undefined || atMs > 1) addSample(columns, chart, atMs, status, this.#last, this.#limits.samplesMax)
    }
    if (this.#library !== undefined) this.#draw(this.#library, false)
  }

  /** Each chart with what is known, anew when its colours or its width are others. */
  #draw(library: PlotLibrary, isAnew: boolean): void {
    for (const drawing of this.#drawings) {
      const { chart, columns } = drawing
      const target = this.#element(`chart-${chart.id}`)
      if (columns[0]?.length === 0 || target.clientWidth === 0) continue
      if (isAnew || drawing.drawn === undefined || target.clientWidth !== drawing.widthPx) {
        drawing.widthPx = target.clientWidth
        drawing.drawn?.destroy()
        drawing.drawn = drawChart(library, chart, columns, target)
      } else drawing.drawn.setData(columns)
      this.#set(`chart-${chart.id}`, 'aria-label', chartText(chart, columns))
    }
  }

  #say(id: string, text: string): void {
    const element = this.#element(id)
    const shown = visible(text)
    if (element.textContent !== shown) element.textContent = shown
  }

  #set(id: string, name: string, value: string): void {
    const element = this.#element(id)
    if (element.getAttribute(name) !== value) element.setAttribute(name, value)
  }

  #element(id: string): PageElement {
    const found = document.getElementById(id)
    if (found === null) throw new Error(`the page has no ${id}`)
    return found
  }
}

export const liveFunctions = [typingMs, Live]
