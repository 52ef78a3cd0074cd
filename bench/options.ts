import { parseArgs } from 'node:util'
import { GATEWAYS } from './gateways/gateways.ts'
import { SCENARIOS } from './scenarios.ts'

/** What a run is to measure. */
export interface Options {
  readonly gateways: readonly string[]
  readonly scenarios: readonly string[]
  readonly rounds: number
  /** How long each load lasts. */
  readonly seconds: number
  readonly isQuick: boolean
}

/** Thrown for a command line that can't be followed. */
export class UsageError extends Error {}

/**
 * Gives the options of a command line; or the exit code, where it asks for help or can't be followed, which has been told then.
 */
export function optionsOrExit<T extends object>(
  command: string,
  parse: () => T | undefined,
  renderHelpText: () => string,
): T | number {
  try {
    const options = parse()
    if (options === undefined) process.stdout.write(renderHelpText())
    return options ?? 0
  } catch (problem) {
    if (!(problem instanceof UsageError)) throw problem
    process.stderr.write(`${command}: ${problem.message}\nSee --help.\n`)
    return 2
  }
}

const ROUNDS = 3
const ROUNDS_MAX = 20
const SECONDS_MAX = 60
const SECONDS = 3
const QUICK_SECONDS = 1

const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name)

/** What `--help` prints. */
export function renderHelp(): string {
  const scenarios = SCENARIOS.map(({ name, title }) => `  ${name.padEnd(10)}${title}`).join('\n')
  return `Measures NexCode beside other gateways on this machine, and writes bench/results.md, results.json and charts/.

npm run bench -- [--only a,b] [--scenario a,b] [--rounds n] [--seconds n] [--quick]

  --only      gateways to measure, by comma; all without it
  --scenario  scenarios to run, by comma; all without it
  --rounds    interleaved rounds, 1 to ${ROUNDS_MAX}; ${ROUNDS} without it
  --seconds   how long each load lasts, 1 to ${SECONDS_MAX}; ${SECONDS} without it
  --quick     one round of ${QUICK_SECONDS} s each: to see that it works, not to publish
  --help      this text

Gateways: ${names(GATEWAYS).join(', ')}

Scenarios:
${scenarios}
`
}

function choose(value: string | undefined, all: readonly string[], flag: string): readonly string[] {
  if (value === undefined) return all
  const chosen = value.split(',').map((name) => name.trim())
  for (const name of chosen) {
    if (!all.includes(name))
      throw new UsageError(`--${flag}: there is no ${JSON.stringify(name)}; there are ${all.join(', ')}`)
  }
  // In the order of the report, each once.
  return all.filter((name) => chosen.includes(name))
}

/** Reads a whole number from 1 to `most`. */
export function parseCount(flag: string, value: string | undefined, otherwise: number, most: number): number {
  const count = Number(value ?? otherwise)
  if (Number.isInteger(count) && count >= 1 && count <= most) return count
  throw new UsageError(`--${flag}: ${JSON.stringify(value)} is not a whole number from 1 to ${most}`)
}

/** Reads the command line; `undefined` where help is asked for. */
export function parseOptions(args: readonly string[]): Options | undefined {
  let values: { only?: string; scenario?: string; rounds?: string; seconds?: string; quick?: boolean; help?: boolean }
  try {
    ;({ values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        scenario: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        quick: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }))
  } catch (problem) {
    throw new UsageError(problem instanceof Error ? problem.message : String(problem))
  }
  if (values.help === true) return undefined
  const isQuick = values.quick === true
  return {
    gateways: choose(values.only, names(GATEWAYS), 'only'),
    scenarios: choose(values.scenario, names(SCENARIOS), 'scenario'),
    rounds: parseCount('rounds', values.rounds, isQuick ? 1 : ROUNDS, ROUNDS_MAX),
    seconds: parseCount('seconds', values.seconds, isQuick ? QUICK_SECONDS : SECONDS, SECONDS_MAX),
    isQuick,
  }
}
