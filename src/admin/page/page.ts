import { chartLibrary, hashOf, type ChartLibrary } from '../../base/page-assets.ts'
import { limits } from '../../base/limits.ts'
import { piece, visible, type Content, type Piece } from './pieces.ts'
import { iconOf, regionsOf, saidOf, titleOf } from './regions.ts'
import { charts } from './samples.ts'
import { pageScript } from './script.ts'
import type { Status } from './status.ts'
import { pageStyle } from './style.ts'

export interface Page {
  readonly text: string
  /** For its `content-security-policy`. */
  readonly policy: string
}

/** Elements without an end. Source: HTML, 13.1.2 ("void elements"). */
const isVoid = new Set(['input', 'link', 'meta'])

const reloadSeconds = 5

/** The status page: one file with all that it needs. It runs and loads nothing else, and tells of itself what it is told. */
export function pageOf(status: Status): Page {
  const library = libraryIfThere()
  const scripts = [library.script, pageScript()].filter((text) => text !== '')
  const style = `${library.style}${pageStyle}`
  const body = htmlOf(bodyOf(status))
  const head = htmlOf([
    piece('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    piece('meta', { name: 'referrer', content: 'no-referrer' }),
    piece('link', { id: 'icon', rel: 'icon', href: iconOf(status) }),
    piece('noscript', {}, piece('meta', { 'http-equiv': 'refresh', content: String(reloadSeconds) })),
    piece('title', {}, titleOf(status)),
  ])
  return {
    text: `<!doctype html>
<html lang="en"><head><meta charset="utf-8">${head}<style>${style}</style></head>
<body>${body}${scripts.map((text) => `<script>${text}</script>`).join('')}</body></html>
`,
    policy: policyOf(scripts, style),
  }
}

/** An installation without it has a page without charts, and all the rest. */
function libraryIfThere(): ChartLibrary {
  try {
    return chartLibrary()
  } catch {
    return { script: '', style: '' }
  }
}

/**
 * Nothing from elsewhere, no script but its own two, no frame around it, and no text becomes HTML in the browser: what a path
 * says stays text. Sources: W3C, "Content Security Policy Level 3" and "Trusted Types".
 */
function policyOf(scripts: readonly string[], style: string): string {
  return [
    "default-src 'none'",
    `script-src ${scripts.map(hashOf).join(' ')}`,
    `style-src ${hashOf(style)}`,
    "connect-src 'self'",
    // The dot in the tab.
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
}

function bodyOf(status: Status): Content[] {
  const regions = regionsOf(status)
  const region = (id: keyof typeof regions) => piece('div', { id }, ...regions[id])
  return [
    piece(
      'header',
      {},
      piece(
        'div',
        { class: 'top' },
        piece('h1', {}, 'Remora'),
        piece('p', { id: 'when', class: 'faint' }, 'As of now.'),
        piece('button', { id: 'pause', type: 'button', hidden: '' }, 'Pause'),
      ),
      region('place'),
      piece('p', { id: 'trouble', class: 'trouble', role: 'alert', hidden: '' }),
      piece('p', { id: 'said', class: 'said', role: 'status' }, saidOf(status)),
    ),
    piece(
      'main',
      { id: 'main' },
      section('How it goes', region('state'), region('now')),
      chartsSection(),
      section('Files', searchOf(status), region('files')),
      piece(
        'div',
        { class: 'halves' },
        section('Ledger', region('ledger')),
        section('Requests', region('requests')),
        section('Memory', region('memory')),
        section('State and volume', region('disk')),
      ),
      section('Warnings', region('warnings')),
    ),
    piece(
      'footer',
      { class: 'faint' },
      piece('p', {}, 'For machines: /livez, /readyz, /metrics; what this page shows: /status.json.'),
      piece(
        'noscript',
        {},
        piece('p', {}, `Without scripts this page has no charts, and loads itself again every ${reloadSeconds} s.`),
      ),
    ),
  ]
}

function section(title: string, ...contents: readonly Content[]): Piece {
  const id = `h-${title.toLowerCase().replaceAll(' ', '-')}`
  return piece('section', { 'aria-labelledby': id }, piece('h2', { id }, title), ...contents)
}

/** Empty and hidden until a script fills it. */
function chartsSection(): Piece {
  const figures = charts().map(({ id, title }) =>
    piece(
      'figure',
      {},
      piece('figcaption', {}, title),
      piece('div', { class: 'plot', id: `chart-${id}`, role: 'img', 'aria-label': title }),
    ),
  )
  const title = 'Since this page was opened'
  return piece(
    'section',
    { id: 'charts', 'aria-labelledby': 'h-charts', hidden: '' },
    piece('h2', { id: 'h-charts' }, title),
    piece('div', { class: 'charts' }, ...figures),
  )
}

/** A form, so that it does its work without a script. */
function searchOf({ files }: Status): Piece {
  return piece(
    'form',
    { id: 'search', method: 'get', role: 'search' },
    piece('label', { for: 'find' }, 'Part of the name'),
    piece('input', {
      id: 'find',
      name: 'find',
      type: 'search',
      value: files.find,
      maxlength: String(limits.statusFindMax),
      autocomplete: 'off',
      spellcheck: 'false',
    }),
    piece('noscript', {}, piece('button', {}, 'Search')),
  )
}

function htmlOf(contents: readonly Content[]): string {
  return contents.map((content) => (typeof content === 'string' ? escapeHtml(content) : elementOf(content))).join('')
}

function elementOf({ tag, attributes, children }: Piece): string {
  const pairs = Object.entries(attributes).map(([name, value]) => ` ${name}="${escapeHtml(value)}"`)
  const start = `<${tag}${pairs.join('')}>`
  return isVoid.has(tag) ? start : `${start}${htmlOf(children)}</${tag}>`
}

/** Text from a stranger as text: for between tags and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return visible(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
