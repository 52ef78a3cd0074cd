import { formatNumber } from './figures.ts'

/** One bar of a chart. */
export interface Bar {
  readonly label: string
  readonly value: number
  /** The least and the largest of the rounds. */
  readonly range?: readonly [number, number]
  readonly isOurs: boolean
}

const WIDTH = 720
const LABEL_WIDTH = 96
const VALUE_WIDTH = 110
const PLOT_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH
const ROW_HEIGHT = 28
const BAR_HEIGHT = 16
const TOP = 44
// A bar this many times as long as the shortest is cut, so that the others stay readable.
const CUT_AT = 12

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 15px; }
  .bar { fill: #8c959f; }
  .ours { fill: #0969da; }
  .range { stroke: #1f2328; stroke-width: 1.5; }
  .cut { fill: #ffffff; }
  .note { font-size: 11px; fill: #59636e; }
  .sheet { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .bar { fill: #6e7681; }
    .ours { fill: #58a6ff; }
    .range { stroke: #e6edf3; }
    .note { fill: #9198a1; }
    .sheet, .cut { fill: #0d1117; }
  }`

const escapeXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

function renderBar(bar: Bar, row: number, max: number): string {
  const y = TOP + row * ROW_HEIGHT
  const middle = y + BAR_HEIGHT / 2
  const scale = (value: number) => LABEL_WIDTH + (Math.max(0, Math.min(value, max)) / max) * PLOT_WIDTH
  const end = scale(bar.value)
  const isCut = bar.value > max
  const [least, largest] = bar.range ?? [bar.value, bar.value]
  const range =
    isCut || least === largest
      ? ''
      : `<path class="range" d="M${scale(least).toFixed(1)} ${middle}H${scale(largest).toFixed(1)}"/>`
  // Two slanted gaps say that the bar goes on.
  const cut = isCut
    ? [40, 30]
        .map((back) => `<path class="cut" d="M${end - back} ${y - 1}l-5 ${BAR_HEIGHT + 2}h4l5 -${BAR_HEIGHT + 2}z"/>`)
        .join('')
    : ''
  const label = `<text x="${LABEL_WIDTH - 8}" y="${middle + 4}" text-anchor="end">${escapeXml(bar.label)}</text>`
  const value = `<text x="${(Math.max(end, isCut ? 0 : scale(largest)) + 6).toFixed(1)}" y="${middle + 4}">${formatNumber(bar.value)}</text>`
  const rect = `<rect class="${bar.isOurs ? 'ours' : 'bar'}" x="${LABEL_WIDTH}" y="${y}" width="${Math.max(1, end - LABEL_WIDTH).toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`
  return label + rect + cut + range + value
}

/** A chart of horizontal bars as an SVG that follows the reader's light or dark setting. */
export function renderChart(title: string, note: string, bars: readonly Bar[]): string {
  const values = bars.map(({ value }) => value).filter((value) => Number.isFinite(value) && value > 0)
  const ours = bars.find(({ isOurs }) => isOurs)?.value ?? Math.min(...values)
  const max = Math.min(Math.max(...values), CUT_AT * Math.max(ours, Math.min(...values)))
  const height = TOP + bars.length * ROW_HEIGHT + 26
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeXml(title)}">
<style>${STYLE}
</style>
<rect class="sheet" width="${WIDTH}" height="${height}" rx="6"/>
<text class="title" x="16" y="26">${escapeXml(title)}</text>
${bars.map((bar, row) => renderBar(bar, row, max)).join('\n')}
<text class="note" x="16" y="${height - 10}">${escapeXml(note)}</text>
</svg>
`
}
