import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Gateway } from './gateways/gateway.ts'
import { GATEWAYS } from './gateways/gateways.ts'
import { nexcode } from './gateways/nexcode.ts'
import { IDLE_COUNT, type Idle } from './idle-memory.ts'
import { parseCount, UsageError } from './options.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'

/** What is compared. */
export interface CompareOptions {
  /** By the name in the table; the first one is what the others' ratios are to. */
  readonly targets: ReadonlyMap<string, Gateway>
  readonly scenarios: readonly Scenario[]
  readonly idle: readonly Idle[]
  readonly rounds: number
  /** How long each load of a round lasts. */
  readonly seconds: number
  readonly isJson: boolean
}

const ROUNDS = 5
const SECONDS = 2
const COUNT_MAX = 100
const IDLE: readonly Idle[] = ['connections', 'streams']
const OTHERS = GATEWAYS.filter((gateway) => gateway !== nexcode)
const DEFAULT_SCENARIOS = ['c64', 'code', 'live200']

/** What `--help` prints. */
export function renderCompareHelp(): string {
  const line = (name: string, title: string) => `  ${name.padEnd(18)}${title}\n`
  return `Compares CPU a request or chunk, in interleaved rounds; ratios are to the first target.

bun bench/compare.ts [--scenario a,b] [--rounds n] [--seconds n] [--json] TARGET TARGET…

  TARGET      a binary of NexCode, with variables before it if need be ('UPSTREAM_CLIENT=sockets dist/nexcode'),
              bare (Bun.serve → fetch), ${OTHERS.map(({ name }) => name).join(', ')}
  --scenario  loads by comma, or all; ${DEFAULT_SCENARIOS.join(',')} without it
  --rounds    ${ROUNDS} without it
  --seconds   how long each load lasts, ${SECONDS} without it
  --json      every sample, for a machine

Loads:
${SCENARIOS.map(({ name, title }) => line(name, title)).join('')}${IDLE.map((idle) =>
  line(`idle-${idle}`, `RSS that ${IDLE_COUNT} idle ${idle} add`),
).join('')}`
}

function binaryTarget(spec: string): [string, Gateway] {
  const words = spec.trim().split(/\s+/)
  const path = resolve(words.at(-1) ?? '')
  const isVariable = (word: string) => /^[A-Z_]+=/.test(word)
  if (!words.slice(0, -1).every(isVariable))
    throw new UsageError(`${JSON.stringify(spec)} is not VARIABLE=value… BINARY`)
  if (!existsSync(path)) throw new UsageError(`there is no binary ${path}, and no gateway of that name`)
  const variables = Object.fromEntries(words.slice(0, -1).map((word) => word.split(/=(.*)/s).slice(0, 2)))
  // Worktrees have binaries of one name: the folder above `dist` tells them apart.
  const folder = basename(resolve(path, '../..'))
  const label = [...words.slice(0, -1), basename(path) === 'nexcode' ? folder : basename(path)].join(' ')
  const gateway: Gateway = {
    ...nexcode,
    name: label.replaceAll(/[^\w.-]+/g, '-'),
    prepare: async () => '',
    launch(place) {
      const launch = nexcode.launch(place)
      return { ...launch, command: [path], env: { ...launch.env, ...variables } }
    },
  }
  return [label, gateway]
}

function parseTarget(spec: string): [string, Gateway] {
  const known = OTHERS.find(({ name }) => name === (spec === 'bare' ? 'bun' : spec))
  return known === undefined ? binaryTarget(spec) : [spec, known]
}

function parseTargets(specs: readonly string[]): Map<string, Gateway> {
  if (specs.length === 0) throw new UsageError('name at least one binary or gateway')
  const targets = new Map<string, Gateway>()
  for (const spec of specs) {
    const [label, gateway] = parseTarget(spec)
    // The same binary twice says how much of a difference is noise.
    const name = targets.has(label) ? `${label}#${targets.size + 1}` : label
    targets.set(name, name === label ? gateway : { ...gateway, name: `${gateway.name}-${targets.size + 1}` })
  }
  return targets
}

function parseScenarios(value: string | undefined): { scenarios: Scenario[]; idle: Idle[] } {
  const all = [...SCENARIOS.map(({ name }) => name), ...IDLE.map((idle) => `idle-${idle}`)]
  const chosen = value === 'all' ? all : (value?.split(',').map((name) => name.trim()) ?? DEFAULT_SCENARIOS)
  for (const name of chosen) {
    if (!all.includes(name))
      throw new UsageError(`--scenario: there is no ${JSON.stringify(name)}; there are ${all.join(', ')}`)
  }
  return {
    scenarios: SCENARIOS.filter(({ name }) => chosen.includes(name)),
    idle: IDLE.filter((idle) => chosen.includes(`idle-${idle}`)),
  }
}

/** Reads the command line; `undefined` where help is asked for, `UsageError` where it can't be followed. */
export function parseCompareOptions(args: readonly string[]): CompareOptions | undefined {
  const string = { type: 'string' } as const
  const options = {
    scenario: string,
    rounds: string,
    seconds: string,
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const
  let parsed: ReturnType<typeof parseArgs<{ args: string[]; allowPositionals: true; options: typeof options }>>
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (problem) {
    throw new UsageError(problem instanceof Error ? problem.message : String(problem))
  }
  const { values, positionals } = parsed
  if (values.help === true) return undefined
  return {
    targets: parseTargets(positionals),
    ...parseScenarios(values.scenario),
    rounds: parseCount('rounds', values.rounds, ROUNDS, COUNT_MAX),
    seconds: parseCount('seconds', values.seconds, SECONDS, COUNT_MAX),
    isJson: values.json === true,
  }
}
