/** Fails where the tests cover fewer than 95 % of the lines of `src/`; reads what `bun run coverage` has written. */
import { readFileSync } from 'node:fs'

const COVERED_MIN = 0.95
const REPORT = 'coverage/lcov.info'

interface FileCoverage {
  readonly file: string
  readonly lines: number
  readonly covered: number
}

/** Reads the counts of each source out of an LCOV report. */
function readReport(report: string): FileCoverage[] {
  return report
    .split('end_of_record')
    .map((record) => ({
      file: field(record, 'SF'),
      lines: Number(field(record, 'LF')),
      covered: Number(field(record, 'LH')),
    }))
    .filter(({ file }) => file.startsWith('src/'))
}

function field(record: string, name: string): string {
  return new RegExp(`^${name}:(.*)$`, 'm').exec(record)?.[1] ?? ''
}

function percent(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`
}

const files = readReport(readFileSync(REPORT, 'utf8'))
const lines = files.reduce((sum, file) => sum + file.lines, 0)
const covered = files.reduce((sum, file) => sum + file.covered, 0)
// No report of any line is no coverage: it must not pass as 0 of 0.
const share = lines === 0 ? 0 : covered / lines

process.stdout.write(
  `${percent(share)} of the lines of src/ are covered (${covered} of ${lines}, ${files.length} files)\n`,
)
if (share < COVERED_MIN) {
  const worst = files
    .filter((file) => file.covered < file.lines)
    .sort((left, right) => right.lines - right.covered - (left.lines - left.covered))
    .slice(0, 15)
  process.stderr.write(`At least ${percent(COVERED_MIN)} must be. Most is missing in:\n`)
  for (const { file, lines: all, covered: some } of worst) process.stderr.write(`  ${all - some} of ${all}  ${file}\n`)
  process.exitCode = 1
}
