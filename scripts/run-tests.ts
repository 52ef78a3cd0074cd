/**
 * Runs the tests for a person: a line of progress, each failure once with its reason, and a last line that counts.
 *
 *   bun scripts/run-tests.ts             all of them
 *   bun scripts/run-tests.ts --quick     unit and contract tests, and what the repository is held to
 *   bun scripts/run-tests.ts <path>…     some, as `bun test` takes them
 *
 * All that `bun test` said is in `.cache/tests.log`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'

/** On a machine that is busy with other things a test may take this long; the runner's own limit is 5 s. */
const TEST_MS_MAX = 60_000
const QUICK = ['tests/unit', 'tests/contract', 'tests/architecture', 'tests/habits']
/** Files run in so many processes at once; more would only wait for each other, since a test may start several servers. */
const PROCESSES = Math.min(4, availableParallelism())
const LOG = '.cache/tests.log'
/** How often a line of progress comes where lines can't be overwritten. */
const LINE_EVERY_MS = 10_000
/** Of a failure's reason no more is shown than a person reads; the log has all of it. */
const REASON_LINES_MAX = 60
const LINE_CHARS_MAX = 400

const FILE = /^(\S+\.test\.ts):$/
const RESULT = /^\((pass|fail|skip|todo)\) (.*?)(?: \[[\d.]+ ?m?s\])?$/
/** Stands behind the result of a test that took too long. */
const TIMED_OUT = /^ {2}\^ this test timed out/
/** Behind the last test `bun test` lists what failed and was skipped once more. */
const SUMMARY = /^\d+ tests? (?:failed|skipped|todo):$/
/** `bun test` counts an error outside of a test by itself. */
const ERRORS = /^ *(\d+) errors?$/

type Result = 'pass' | 'fail' | 'skip' | 'todo'

/** What has been seen of a run so far. */
class Progress {
  readonly #filesTotal: number
  readonly #startedAt = performance.now()
  readonly #files = new Set<string>()
  readonly #counts: Record<Result, number> = { pass: 0, fail: 0, skip: 0, todo: 0 }
  #errors = 0
  #isOver = false
  #file = ''
  #shownAt = performance.now()
  #reason: string[] = []

  constructor(filesTotal: number) {
    this.#filesTotal = filesTotal
  }

  get failed(): number {
    return this.#counts.fail + this.#errors
  }

  /** Takes one line of what `bun test` says. */
  take(line: string): void {
    this.#isOver ||= SUMMARY.test(line)
    const [, file] = FILE.exec(line) ?? []
    const [, result, name = ''] = this.#isOver ? [] : (RESULT.exec(line) ?? [])
    if (file !== undefined) {
      this.#file = file
      this.#files.add(file)
    } else if (result !== undefined) this.#count(result as Result, name)
    else if (TIMED_OUT.test(line)) {
      process.stdout.write(`        ${line.trim()}\n`)
      return
    } else {
      this.#errors = Number(ERRORS.exec(line)?.[1] ?? this.#errors)
      this.#reason.push(line)
      return
    }
    this.#reason = []
    this.#show()
  }

  /** Says how it ended; `code` is that of `bun test`. */
  conclude(code: number): void {
    if (code !== 0 && this.failed === 0) this.#print('FAILED  the run broke off', this.#reason)
    else if (this.#errors > 0) this.#print('FAILED  outside of a test', this.#reason)
    clearLine()
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(0)
    const { pass, skip, todo } = this.#counts
    const left = skip + todo > 0 ? `, ${skip + todo} skipped` : ''
    if (this.failed > 0 || code !== 0) process.stdout.write(`All that the tests said is in ${LOG}\n`)
    process.stdout.write(`${number(pass)} passed, ${number(this.failed)} failed${left} in ${seconds} s\n`)
  }

  #count(result: Result, name: string): void {
    this.#counts[result] += 1
    if (result === 'fail') this.#print(`FAILED  ${this.#file} > ${name}`, this.#reason)
  }

  #print(title: string, reason: readonly string[]): void {
    clearLine()
    const shown = reason.filter((line) => line.trim() !== '').map((line) => `        ${line.slice(0, LINE_CHARS_MAX)}`)
    const rest = shown.length - REASON_LINES_MAX
    process.stdout.write(`${[title, ...shown.slice(0, REASON_LINES_MAX)].join('\n')}\n`)
    if (rest > 0) process.stdout.write(`        … ${rest} lines more\n`)
  }

  #show(): void {
    const now = performance.now()
    const isTerminal = process.stdout.isTTY
    if (!isTerminal && now - this.#shownAt < LINE_EVERY_MS) return
    this.#shownAt = now
    const line = `${this.#files.size} of ${this.#filesTotal} files, ${number(this.#counts.pass)} passed, ${number(this.failed)} failed: ${this.#file}`
    if (!isTerminal) process.stdout.write(`${line}\n`)
    else process.stdout.write(`\r\u001b[K${line.slice(0, process.stdout.columns - 1)}`)
  }
}

function clearLine(): void {
  if (process.stdout.isTTY) process.stdout.write('\r\u001b[K')
}

function number(count: number): string {
  return count.toLocaleString('en')
}

/** How many files a run will have, as far as its arguments tell. */
function countFiles(args: readonly string[]): number {
  const wanted = args.filter((arg) => !arg.startsWith('-'))
  const files = [...new Bun.Glob('{bench,tests}/**/*.test.ts').scanSync()]
  return files.filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part))).length
}

const given = process.argv.slice(2)
const args = given.flatMap((arg) => (arg === '--quick' ? QUICK : [arg]))
mkdirSync('.cache', { recursive: true })
const log = createWriteStream(LOG)
const progress = new Progress(countFiles(args))
const child = spawn(process.execPath, ['test', '--timeout', String(TEST_MS_MAX), `--parallel=${PROCESSES}`, ...args], {
  // Colours would stand in the way of reading what it says.
  env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  stdio: ['ignore', 'ignore', 'pipe'],
})
const ended = once(child, 'close')
for await (const line of createInterface({ input: child.stderr })) {
  log.write(`${line}\n`)
  progress.take(line)
}
const [code] = await ended
progress.conclude(code)
log.end()
process.exitCode = code === 0 && progress.failed === 0 ? 0 : 1
