/** Colours by Okabe and Ito, darker on white and lighter on black, so that each has a contrast of 3:1 at least. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --back: #fff; --panel: #f6f7f9; --text: #1a1d21; --faint: #555c66; --rule: #d5d9df; --grid: #e4e7ec;
  --bad: #b3261e; --good: #1a6b3a; --band: rgba(179, 38, 30, 0.13); --level: #b3261e;
  --c0: #0060a8; --c1: #b84a00; --c2: #00704f; --c3: #8a3d78; --c4: #6b5d00; --c5: #3d4450;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171b; --panel: #1c2026; --text: #e8eaed; --faint: #a4acb8; --rule: #3a414b; --grid: #2b3139;
    --bad: #ff8a80; --good: #7fd6a0; --band: rgba(255, 138, 128, 0.2); --level: #ff8a80;
    --c0: #62b6f0; --c1: #f0a13a; --c2: #4fd0a4; --c3: #e6a3cf; --c4: #e6df5c; --c5: #c3cad4;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.25rem; max-width: 76rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.6rem; margin: 0 0 0.25rem; }
h2 { font-size: 1.3rem; margin: 0 0 0.25rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 0.25rem; }
p { margin: 0.4rem 0; max-width: 48rem; }
a { color: var(--c0); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; list-style: none; margin: 1rem 0; padding: 0; }
section { margin-top: 2rem; padding-top: 1.25rem; border-top: 1px solid var(--rule); }
.faint { color: var(--faint); }
.bad { color: var(--bad); font-weight: 600; }
.good { color: var(--good); }
.warning { border: 3px solid var(--bad); border-radius: 6px; padding: 0.75rem 1rem; margin: 0 0 1rem; color: var(--bad); }
.warning strong { display: block; font-size: 1.2rem; }
.said { font-size: 1.1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; margin: 1rem 0; }
dt { color: var(--faint); }
dd { margin: 0; }
.scroll { overflow-x: auto; max-width: 100%; overflow-wrap: normal; }
.numbers .scroll { max-height: 24rem; overflow-y: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; margin: 0.5rem 0; }
th, td { padding: 0.25rem 0.75rem 0.25rem 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); vertical-align: bottom; }
thead th { white-space: normal; min-width: 6rem; border-bottom: 2px solid var(--rule); }
th:first-child, td:first-child { text-align: left; }
tbody th { font-weight: 400; white-space: normal; min-width: 8rem; }
figure { margin: 1rem 0 0; min-width: 0; }
figcaption { font-weight: 600; }
figcaption .faint { font-weight: 400; }
.plot { min-height: 12rem; background: var(--panel); border-radius: 6px; padding: 0.5rem 0.25rem 0.25rem; }
.times .plot { min-height: 10rem; }
details { margin: 0.5rem 0; }
summary { cursor: pointer; }
.numbers summary { color: var(--faint); font-size: 0.9rem; }
.plot .u-legend { font-size: 13px; }
.plot .u-legend .u-value { min-width: 3.5em; text-align: left; font-variant-numeric: tabular-nums; }
.plot .u-legend th { border: 0; min-width: 0; }
.plot .u-legend th, .plot .u-legend td { border: 0; padding: 2px; white-space: nowrap; }
.plot .u-legend table, table.u-legend { margin: 0 auto; max-width: 100%; }
@media (max-width: 40rem) {
  body { padding: 0.75rem; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: 0.4rem; }
}
@media (min-width: 62rem) {
  .times { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1rem; }
}
`
