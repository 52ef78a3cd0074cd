import { PROMISES } from '../tests/hardening/promises.ts'
import { renderFigures } from './hardening/render-figures.ts'
import { type RecordedSuite, readResults } from './hardening/results.ts'

/**
 * The promises with the figures that a run of `npm run test:hardening -- --record` has left, as a Markdown table for
 * docs/reliability.md.
 *
 * @example
 * const table = renderPromiseTable()
 */
export function renderPromiseTable(): string {
  const results = readResults()
  const head = ['#', 'Promise', 'Over', 'Figure', 'Reached', 'Again']
  const rows = PROMISES.map(({ number, sentence, over, figure }) => {
    const own = results.filter((result) => result.number === number)
    return [
      String(number),
      `**${sentence}**`,
      over,
      figure,
      own.map(renderReached).join('<br>') || 'not measured yet',
      own.map(({ name }) => `\`npm run test:hardening -- ${name}\``).join('<br>') || '–',
    ]
  })
  return `${[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')}${renderMachines(results)}`
}

function renderReached({ cases, failures, figures, seconds }: RecordedSuite): string {
  const outcome = failures === 0 ? 'kept' : `**broken in ${failures.toLocaleString('en')}**`
  return `${outcome}: ${[`${cases.toLocaleString('en')} cases`, renderFigures(figures), `${seconds} s`].filter((part) => part !== '').join(', ')}`.replaceAll(
    '|',
    '\\|',
  )
}

/** Where and when it was: once, where all is from one run. */
function renderMachines(results: readonly RecordedSuite[]): string {
  const places = Map.groupBy(
    results,
    ({ date, commit, machine, seed }) => `${date}, commit ${commit}, seed ${seed}: ${machine}`,
  )
  return [...places]
    .map(
      ([place, own]) =>
        `\nMeasured ${place}${places.size > 1 ? ` (${own.map(({ name }) => name).join(', ')})` : ''}.\n`,
    )
    .join('')
}
