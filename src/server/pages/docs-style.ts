import { html } from './html.ts'

/** The look of the documentation page, light and dark, from a phone to a wide screen. */
export const DOCS_STYLE = html`<style>
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f5f7f8; --line: #d9dfe3; --text: #1a2126; --quiet: #56636c;
  --accent: #0a655a; --accent-ground: #e2f3ef; --warn: #8a4b00; --warn-ground: #fdf0dd;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans SC", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1417; --raised: #182024; --line: #2c373d; --text: #dbe3e7; --quiet: #9aa8b0;
    --accent: #6fd6c3; --accent-ground: #12312d; --warn: #f0b868; --warn-ground: #33260f;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 0 1.25rem; max-width: 74rem; background: var(--ground); color: var(--text);
  font: 1rem/1.6 var(--sans); overflow-wrap: break-word;
}
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
main:focus { outline: none; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--ground); z-index: 1; }
header { padding: 3rem 0 1.5rem; }
h1, h2, h3 { line-height: 1.25; letter-spacing: -.01em; text-wrap: balance; }
h1 { margin: 0; font-size: 2.4rem; letter-spacing: -.025em; }
h1 small, h3 small { font-weight: 400; color: var(--quiet); letter-spacing: 0; font-family: var(--mono); }
h1 small { font-size: 1rem; }
h3 small { font-size: .8rem; margin-left: .4rem; }
header p { margin: .5rem 0 0; font-size: 1.15rem; color: var(--quiet); max-width: 42rem; text-wrap: pretty; }
h2 { margin: 0 0 1rem; font-size: 1.5rem; }
h3 { margin: 1.75rem 0 .5rem; font-size: 1.05rem; }
p { margin: 0 0 1rem; max-width: 44rem; text-wrap: pretty; }
main > section { padding: 2rem 0; border-top: 1px solid var(--line); }
nav ul { list-style: none; margin: 0 0 1.5rem; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
nav a { display: inline-block; padding: .25rem 0; text-decoration: none; }
nav a:hover { text-decoration: underline; }
code, pre, .type, .method { font-family: var(--mono); font-size: .875em; }
:not(pre) > code { padding: .1em .3em; background: var(--raised); border-radius: 4px; }
pre {
  margin: 0; padding: 1rem; overflow-x: auto; background: var(--raised); border: 1px solid var(--line);
  border-radius: 8px; line-height: 1.55;
}
pre code { font-size: 1em; }
.base-url {
  display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .75rem; width: fit-content; max-width: 100%;
  padding: .6rem 1rem; background: var(--accent-ground); border-radius: 8px;
}
.base-url span { color: var(--quiet); font-size: .9rem; }
.base-url code { padding: 0; background: none; color: var(--accent); font-weight: 600; font-size: 1rem; overflow-wrap: anywhere; }
.samples h3 { margin-top: 1.25rem; }
dl { margin: 0; max-width: 44rem; }
dt { font-weight: 600; }
dt > code { padding: 0; background: none; }
dd { margin: .25rem 0 1rem 0; padding-left: 1rem; border-left: 3px solid var(--line); }
.endpoints { list-style: none; margin: 0; padding: 0; }
.endpoints li { display: grid; grid-template-columns: 3rem minmax(0, 20rem) minmax(0, 1fr); gap: .25rem .75rem; align-items: baseline; padding: .25rem 0; }
.endpoints code { padding: 0; background: none; overflow-wrap: anywhere; }
.method { font-weight: 600; color: var(--accent); }
table { width: 100%; border-collapse: collapse; font-size: .95rem; table-layout: fixed; }
table table { font-size: inherit; }
table code { overflow-wrap: anywhere; }
.fields thead th:nth-child(1) { width: 28%; }
.fields thead th:nth-child(2) { width: 22%; }
.errors thead th:nth-child(1) { width: 4rem; }
.errors thead th:nth-child(2) { width: 15rem; }
.errors thead th:nth-child(4) { width: 31%; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { padding: .6rem .75rem .6rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; font-size: .85rem; color: var(--quiet); font-weight: 600; }
tbody th { font-weight: 400; }
tbody th > code, .errors td:nth-child(2) > code { padding: 0; background: none; font-weight: 600; }
.below > td { padding: 0 0 .6rem; border-top: 0; }
.type { color: var(--quiet); }
.badge {
  display: inline-block; padding: .05rem .45rem; border-radius: 99px; font-size: .75rem; white-space: nowrap;
  background: var(--raised); color: var(--quiet);
}
.badge.must { background: var(--warn-ground); color: var(--warn); }
.values { display: block; margin-top: .25rem; font-size: .9em; }
details { margin: .25rem 0; }
summary { cursor: pointer; padding: .2rem 0; color: var(--quiet); font-size: .9rem; }
summary:hover { color: var(--text); }
.nested { margin: .25rem 0 .5rem .3rem; padding-left: 1rem; border-left: 2px solid var(--accent); }
.kind { margin: .75rem 0 .25rem; }
.kind b { font-family: var(--mono); font-size: .9em; margin-right: .5rem; }
footer { padding: 1.5rem 0 3rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: .9rem; }
@media (min-width: 60rem) {
  body { display: grid; grid-template-columns: 12rem minmax(0, 1fr); column-gap: 3rem; }
  header, footer { grid-column: 1 / -1; }
  nav { border-top: 1px solid var(--line); }
  nav ul { position: sticky; top: 0; flex-direction: column; padding-top: 2rem; }
}
@media (max-width: 40rem) {
  body { padding: 0 1rem; }
  header { padding-top: 2rem; }
  h1 { font-size: 2rem; }
  .endpoints li { grid-template-columns: 3rem minmax(0, 1fr); }
  .endpoints li span:last-child { grid-column: 2; color: var(--quiet); }
  table, tbody, tr, th, td { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { padding: .6rem 0; border-top: 1px solid var(--line); }
  tr.below { padding: 0 0 .6rem; border-top: 0; }
  th, td { padding: .1rem 0; border-top: 0; }
  .errors th, .errors td:nth-child(2) { display: inline; margin-right: .5rem; font-weight: 600; }
  .errors td:nth-child(4)::before { content: "What to do: "; color: var(--quiet); }
  .nested { margin-left: 0; padding-left: .75rem; }
  pre { padding: .75rem; font-size: .8rem; }
}
@media print { nav, .skip { display: none; } pre { white-space: pre-wrap; } }
</style>`
