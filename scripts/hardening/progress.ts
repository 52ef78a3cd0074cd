import type { SuiteRun } from './run-suite.ts'

/** How often a line of progress comes where lines can't be overwritten. */
const LINE_EVERY_MS = 10_000
const BAR_CHARS = 20
const MESSAGE_CHARS_MAX = 2000
/** Of a suite that fails everywhere no more is shown than a person reads; `--json` has all. */
const FAILURES_MAX = 20

/** Shows a person how far a run is. */
export class Progress {
  readonly #total: number
  readonly #seed: number
  readonly #startedAt = performance.now()
  #done = 0
  #shownAt = performance.now()

  constructor(total: number, seed: number) {
    this.#total = total
    this.#seed = seed
  }

  /** Takes what the suite that is running says of itself. */
  show(name: string, line: string): void {
    const now = performance.now()
    const { isTTY, columns } = process.stdout
    if (!isTTY && now - this.#shownAt < LINE_EVERY_MS) return
    this.#shownAt = now
    const full = Math.round((this.#done / this.#total) * BAR_CHARS)
    const bar = '█'.repeat(full) + '░'.repeat(BAR_CHARS - full)
    const seconds = Math.round((now - this.#startedAt) / 1000)
    const text = `${bar} ${this.#done} of ${this.#total} suites, ${seconds} s: ${name} ${line}`
    process.stdout.write(isTTY ? `\r\u001b[K${text.slice(0, columns - 1)}` : `${text}\n`)
  }

  /** Says how a suite went; each failure with the command that reruns it alone. */
  conclude({ name, cases, failures, seconds }: SuiteRun): void {
    this.#done += 1
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[K')
    const count = `${cases.toLocaleString('en')} cases, ${failures.length} failures in ${seconds} s`
    process.stdout.write(`${failures.length === 0 ? 'ok    ' : 'FAILED'}  ${name}: ${count}\n`)
    for (const { id, message } of failures.slice(0, FAILURES_MAX)) {
      const lines = message.slice(0, MESSAGE_CHARS_MAX).split('\n')
      process.stdout.write(`        ${id}: ${lines.join('\n        ')}\n`)
      if (id === 'whole') continue
      process.stdout.write(
        `        again: npm run test:hardening -- ${name} --seed ${this.#seed} --case ${quote(id)}\n`,
      )
    }
    if (failures.length > FAILURES_MAX) process.stdout.write(`        … ${failures.length - FAILURES_MAX} more\n`)
  }
}

function quote(id: string): string {
  return /^[\w./:-]+$/.test(id) ? id : `'${id.replaceAll("'", "'\\''")}'`
}
