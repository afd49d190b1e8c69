import { chartLibrary, hashOf } from '../../base/page-assets.ts'
import type { Row, ScenarioResult } from '../types.ts'
import { budgetOf, isKept } from './budgets.ts'
import { factsOf, titleOf } from './facts.ts'
import { html, jsonMarkup, type Markup, nothing } from './html.ts'
import { pageScript } from './page-script.ts'
import { pageStyle } from './page-style.ts'
import { latencyPlots, type Plot, sweepPlots, timePlots } from './plots.ts'
import { areLimitsHeld, failuresOf, type Report, verdictOf } from './report.ts'
import { sentenceOf } from './sentences.ts'
import { keyOf, labelsOf } from './labels.ts'
import { limitsText } from '../limits/quantity.ts'
import { figureText } from './text.ts'

/** Times of more rows are folded away until somebody wants to see them. */
const unfoldedRowsMax = 2

/** The report as one file that needs no other: it may load nothing, and run nothing but its own two scripts. */
export function pageOf(report: Report): string {
  const library = chartLibrary()
  const plots: Plot[] = []
  const sections = report.scenarios.map((scenario, at) => sectionOf(report, scenario, `s${at}`, plots))
  const style = `${library.style}${pageStyle}`
  const script = pageScript()
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(library.script)} ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <link rel="icon" href="data:," />
        <title>Remora bench: ${limitsText(report.limits)}</title>
        ${asItStands('style', style)}
      </head>
      <body>
        ${warningOf(report)}
        <header>
          <h1>Remora bench</h1>
          <p class="faint">${titleOf(report)}, ${report.startedAt.slice(0, 16).replace('T', ' ')} UTC</p>
          ${headlinesOf(report)}
          <dl>
            ${factsOf(report).map(
              ([label, text]) =>
                html`<dt>${label}</dt>
                  <dd>${text}</dd>`,
            )}
          </dl>
          <p class="faint">
            Each figure: median (least–most) of the repeats that count. Peak memory is sampled use: anonymous, kernel
            and socket memory, not page cache.
          </p>
          <nav aria-label="Scenarios">
            <ul>
              ${report.scenarios.map(({ name }, at) => html`<li><a href="#s${at}">${name}</a></li>`)}
            </ul>
          </nav>
        </header>
        <main>${sections}</main>
        ${skippedOf(report)}
        <script type="application/json" id="plots">
          ${jsonMarkup(plots)}
        </script>
        ${asItStands('script', library.script)} ${asItStands('script', script)}
      </body>
    </html> `
  return page.markup
}

function warningOf({ enforcement, limits }: Report): Markup {
  if (enforcement.kind !== 'none') return nothing
  return html`<div class="warning" role="alert">
    <strong>The limits were not enforced.</strong> All figures are of an agent that could take the whole machine, not of
    one at ${limitsText(limits)}: ${enforcement.reason}
  </div>`
}

function headlinesOf(report: Report): Markup {
  const failures = failuresOf(report)
  const { isGood, text } = verdictOf(report)
  const verdict = html`<p class="${isGood ? 'good' : 'bad'}">${text}</p>
    ${
      failures.length === 0
        ? nothing
        : html`<ul class="bad">
            ${failures.map((each) => html`<li>${each}</li>`)}
          </ul>`
    }`
  const first = report.scenarios[0]?.rows
    .map((row) => sentenceOf(row, areLimitsHeld(report)))
    .find((sentence) => sentence !== undefined)
  return html`${first === undefined ? nothing : html`<p class="said">${first}</p>`}${verdict}`
}

function sectionOf(report: Report, scenario: ScenarioResult, id: string, plots: Plot[]): Markup {
  const { name, about, rows } = scenario
  const held = areLimitsHeld(report)
  const show = (all: readonly Plot[]) => all.map((plot) => figureOf(plot, plots))
  const failures = rows.flatMap((row) => row.failures.map((failure) => html`<li>${row.name}: ${failure}</li>`))
  const notes = rows.flatMap((row) => row.notes.map((note) => html`<li>${row.name}: ${note}</li>`))
  const times = rows.map((row, at) =>
    timesOf(row, show(timePlots(row, `${id}-${at}`, held)), rows.length <= unfoldedRowsMax),
  )
  return html`<section id="${id}">
    <h2>${name}</h2>
    <p class="faint">${about}</p>
    ${
      failures.length === 0
        ? nothing
        : html`<ul class="bad">
            ${failures}
          </ul>`
    }
    <div class="sweeps">${show(sweepPlots(scenario, id))}</div>
    ${tableOf(scenario)}
    ${
      notes.length === 0
        ? nothing
        : html`<ul class="faint">
            ${notes}
          </ul>`
    }
    ${show(latencyPlots(scenario, id))} ${times}
  </section> `
}

function timesOf({ name }: Row, figures: readonly Markup[], isOpen: boolean): Markup {
  if (figures.length === 0) return nothing
  const open = { markup: isOpen ? ' open' : '' }
  return html`<details${open}><summary>Over time: ${name} (one of the repeats)</summary><div class="times">${figures}</div></details>
`
}

function figureOf(plot: Plot, plots: Plot[]): Markup {
  plots.push(plot)
  return html`<figure>
    <figcaption>${plot.title} <span class="faint">${plot.y.label}</span></figcaption>
    <div class="plot" id="${plot.id}" role="img" aria-label="${plot.title}; its numbers are in the table below"></div>
    <details class="numbers" id="${plot.id}-numbers">
      <summary>Numbers</summary>
      <div class="scroll" tabindex="0"></div>
    </details>
  </figure> `
}

/** Figures below each other, settings beside each other. */
function tableOf(scenario: ScenarioResult): Markup {
  const labels = [...labelsOf(scenario)]
  if (labels.length === 0) return nothing
  const heads = scenario.rows.map(
    (row) =>
      html`<th scope="col">
        ${row.name}${row.failures.length === 0 ? nothing : html` <span class="bad">failed</span>`}
      </th>`,
  )
  const body = labels.map(
    ([key, label]) =>
      html`<tr>
        <th scope="row">${label}</th>
        ${scenario.rows.map((row) => cellOf(scenario, row, key))}
      </tr> `,
  )
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          <th></th>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
  </div>`
}

function cellOf({ name }: ScenarioResult, row: Row, key: string): Markup {
  const figure = row.figures.find((each) => keyOf(each) === key)
  if (figure === undefined) return html`<td>–</td>`
  const budget = budgetOf(name, figure)
  if (budget === undefined) return html`<td>${figureText(row, figure)}</td>`
  return isKept(budget, figure)
    ? html`<td>${figureText(row, figure)} <span class="good" title="within its budget">✓</span></td>`
    : html`<td class="bad">${figureText(row, figure)} <span title="over its budget">✗</span></td>`
}

function skippedOf({ skipped }: Report): Markup {
  if (skipped.length === 0) return nothing
  return html`<section>
    <h2>Not run here</h2>
    <ul>
      ${skipped.map(({ name, reason }) => html`<li>${name}: ${reason}</li>`)}
    </ul>
  </section>`
}

/** Each byte counts, for its hash. */
function asItStands(name: 'script' | 'style', text: string): Markup {
  return { markup: `<${name}>${text}</${name}>` }
}
