/** Colours by Okabe and Ito, darker on white and lighter on black: text has a contrast of 4.5:1 at least, lines of 3:1. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --back: #fff; --panel: #f6f7f9; --text: #1a1d21; --faint: #555c66; --rule: #d5d9df; --grid: #e4e7ec;
  --bad: #b3261e; --well: #1a6b3a; --busy: #8a5300;
  --c0: #0060a8; --c1: #b84a00; --c2: #00704f; --c3: #8a3d78; --c4: #6b5d00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171b; --panel: #1c2026; --text: #e8eaed; --faint: #a4acb8; --rule: #3a414b; --grid: #2b3139;
    --bad: #ff8a80; --well: #7fd6a0; --busy: #f0a13a;
    --c0: #62b6f0; --c1: #f0a13a; --c2: #4fd0a4; --c3: #e6a3cf; --c4: #e6df5c;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto; padding: 1.25rem; max-width: 90rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 0 0 0.5rem; }
p { margin: 0.4rem 0; max-width: 60rem; }
a { color: var(--c0); }
:focus-visible { outline: 2px solid var(--c0); outline-offset: 2px; }
section { margin-top: 1.25rem; padding-top: 1rem; border-top: 1px solid var(--rule); min-width: 0; }
.faint { color: var(--faint); }
.bad { color: var(--bad); }
.top { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 1rem; }
.top p { margin: 0; }
.trouble { border: 2px solid var(--bad); border-radius: 6px; padding: 0.5rem 0.75rem; color: var(--bad); max-width: none; }
.state { font-size: 1.4rem; line-height: 1.3; border-left: 6px solid; padding: 0.4rem 0 0.4rem 0.75rem; background: var(--panel); max-width: none; }
.well { color: var(--well); } .busy { color: var(--busy); }
.mark { font-family: "DejaVu Sans", "Segoe UI Symbol", "Noto Sans Symbols 2", sans-serif; }
.troubles { margin: 0.5rem 0; padding-left: 1.25rem; max-width: 60rem; }
.troubles li { color: var(--text); margin: 0.3rem 0; }
.troubles li.bad strong { color: var(--bad); } .troubles li.busy strong { color: var(--busy); }
.troubles li.bad::marker { content: "✕  "; color: var(--bad); } .troubles li.busy::marker { content: "▲  "; color: var(--busy); }
.old .state { color: var(--faint); } .old .state strong::after { content: " – as it was then"; font-weight: 400; }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
dl { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; margin: 0.5rem 0; }
dt { color: var(--faint); font-size: 0.875rem; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
#now dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 0.5rem; }
#now dl > div { background: var(--panel); border-radius: 6px; padding: 0.5rem 0.75rem; }
#now dd { font-size: 1.1rem; font-weight: 600; }
.charts { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; }
.halves { display: grid; grid-template-columns: minmax(0, 1fr); column-gap: 2rem; }
figure { margin: 0; min-width: 0; background: var(--panel); border-radius: 6px; padding: 0.5rem; }
figcaption { font-weight: 600; }
.plot { min-height: 13.5rem; overflow: hidden; }
.plot .u-legend { font-size: 13px; }
.plot .u-legend th, .plot .u-legend td { border: 0; padding: 1px 2px; min-width: 0; }
.plot .u-legend .u-value { font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; max-width: 100%; overflow-wrap: normal; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
caption { text-align: left; color: var(--faint); padding-bottom: 0.25rem; }
th, td { padding: 0.25rem 1rem 0.25rem 0; text-align: right; border-bottom: 1px solid var(--grid); vertical-align: top; overflow: hidden; }
thead th { border-bottom: 2px solid var(--rule); vertical-align: bottom; }
th:first-child, .halves td:last-child, .halves thead th:last-child { text-align: left; }
tbody th { font-weight: 400; }
#files tbody td, #requests tbody td, #ledger tbody td { white-space: nowrap; }
#requests tbody td:last-child, #ledger tbody td:last-child { white-space: normal; min-width: 8rem; }
#files tbody th { min-width: 12rem; max-width: 40rem; }
.warnings { list-style: none; margin: 0; padding: 0; max-width: 70rem; }
.warnings li { padding: 0.4rem 0; border-bottom: 1px solid var(--grid); font-size: 0.9rem; }
/* Marks that a name heaps upon a letter stay within its row. */
.path { display: block; overflow: clip; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
.wrong { display: block; }
code { font-size: 0.85rem; }
meter { width: 8rem; max-width: 100%; vertical-align: middle; }
form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin-bottom: 0.5rem; }
input, button { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--faint); border-radius: 4px; padding: 0.25rem 0.6rem; }
input { min-width: 0; width: 22rem; max-width: 100%; }
button { cursor: pointer; }
@media (max-width: 40rem) { body { padding: 0.75rem; } #now dl { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media (min-width: 44rem) { .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media (min-width: 70rem) {
  .charts { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .halves { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
`
