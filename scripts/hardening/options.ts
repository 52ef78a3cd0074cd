import { parseArgs } from 'node:util'
import { DEFAULT_SEED } from '../../tests/hardening/suite.ts'

/** What of a suite its choice needs. */
export interface Named {
  readonly number: number
  readonly name: string
}

/** What a run is to do. */
export interface Options {
  /** Names of suites, in order of their promises. */
  readonly suites: readonly string[]
  readonly seed: number
  /** The id of one case. */
  readonly only: string | undefined
  readonly isShort: boolean
  /** For a machine: one JSON document, and nothing else, on stdout. */
  readonly isJson: boolean
  /** Writes what has come out into the file that docs/reliability.md is made from. */
  readonly isRecorded: boolean
}

/** Thrown for a command line that can't be followed. */
export class UsageError extends Error {}

const SEED_MAX = 0x7fffffff

/** What `--help` prints. */
export function renderHelp(all: readonly (Named & { readonly promise: string })[]): string {
  const width = Math.max(...all.map(({ name }) => name.length))
  const lines = all.map(
    ({ number, name, promise }) => `  ${String(number).padStart(2)}  ${name.padEnd(width)}  ${promise}`,
  )
  return `Puts the promises of docs/reliability.md to the test, against the binary, on 127.0.0.1.

npm run test:hardening -- [suite or number]… [--seed n|random] [--case id] [--short] [--json] [--record]

  --seed n     what the cases are made from; ${DEFAULT_SEED} without it, \`random\` for one that nobody has seen
  --case id    one case of one suite alone
  --short      as little as \`npm test\` runs
  --json       one JSON document on stdout
  --record     keeps the figures for docs/reliability.md (then: npm run docs)
  --help       this text

NEXCODE_BINARY names the binary; without it dist/nexcode is built from what is here.

Suites:
${lines.join('\n')}
`
}

/** Reads the command line; undefined where help is asked for. Throws `UsageError`. */
export function parseOptions(args: readonly string[], all: readonly Named[]): Options | undefined {
  const { values, positionals } = parse(args)
  if (values.help === true) return undefined
  const suites = chooseSuites(positionals, all)
  if (values.case !== undefined && suites.length !== 1) {
    throw new UsageError(`--case is an id within one suite: name it, such as ${all[0]?.name} --case ${values.case}`)
  }
  const isPartial = values.case !== undefined || values.short === true
  if (isPartial && values.record === true) throw new UsageError('--record keeps whole runs only')
  return {
    suites,
    seed: parseSeed(values.seed),
    only: values.case,
    isShort: values.short === true,
    isJson: values.json === true,
    isRecorded: values.record === true,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seed: { type: 'string' },
        case: { type: 'string' },
        short: { type: 'boolean' },
        json: { type: 'boolean' },
        record: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (problem) {
    throw new UsageError(problem instanceof Error ? problem.message : String(problem))
  }
}

function chooseSuites(wanted: readonly string[], all: readonly Named[]): readonly string[] {
  const fits = (one: string, { number, name }: Named): boolean => one === name || one === String(number)
  for (const one of wanted) {
    if (!all.some((suite) => fits(one, suite))) {
      throw new UsageError(
        `there is no suite ${JSON.stringify(one)}; there are ${all.map(({ name }) => name).join(', ')}`,
      )
    }
  }
  const chosen = all.filter((suite) => wanted.length === 0 || wanted.some((one) => fits(one, suite)))
  return chosen.map(({ name }) => name)
}

function parseSeed(value: string | undefined): number {
  if (value === undefined) return DEFAULT_SEED
  if (value === 'random') return Math.floor(Math.random() * SEED_MAX)
  const seed = Number(value)
  if (Number.isInteger(seed) && seed >= 0 && seed <= SEED_MAX) return seed
  throw new UsageError(`--seed: ${JSON.stringify(value)} is neither a whole number from 0 to ${SEED_MAX} nor random`)
}
