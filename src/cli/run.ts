import { parseArgs } from 'node:util'
import { type Flags, INVALID } from './flags.ts'
import { renderHelp } from './help.ts'
import { VERSION } from './version.ts'

/** The flags, as they are written. */
const FLAGS = [
  'once',
  'config',
  'json',
  'path',
  'to',
  'from',
  'pace',
  'on-miss',
  'ignore',
  'blank',
  'scope',
  'key',
] as const

type FlagName = (typeof FLAGS)[number]

/** A command line's command. Exit codes: 0 all is well, 1 it did not work, 2 what was asked for is not valid. */
interface Command {
  /** How many words may follow its name. */
  readonly argsMax: number
  /** The flags that it takes. */
  readonly flags: readonly FlagName[]
  /** Loads it, and runs it: a server need not wait for the demo's client. Gives an exit code, or none where it goes on as a server. */
  readonly run: (flags: Flags) => Promise<number | undefined>
}

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['serve', { argsMax: 0, flags: ['config'], run: async (flags) => (await import('./serve.ts')).serve(flags) }],
  [
    'record',
    { argsMax: 0, flags: ['config', 'to'], run: async (flags) => (await import('./record.ts')).record(flags) },
  ],
  [
    'replay',
    {
      argsMax: 0,
      flags: ['config', 'from', 'pace', 'on-miss', 'ignore', 'blank'],
      run: async (flags) => (await import('./replay.ts')).replay(flags),
    },
  ],
  ['demo', { argsMax: 0, flags: ['once'], run: async (flags) => (await import('./demo.ts')).demo(flags) }],
  ['check', { argsMax: 0, flags: ['config'], run: async (flags) => (await import('./check.ts')).check(flags) }],
  [
    'explain',
    {
      argsMax: 1,
      flags: ['config', 'json', 'path'],
      run: async (flags) => (await import('./explain.ts')).explain(flags),
    },
  ],
  ['init', { argsMax: 2, flags: [], run: async ({ args }) => (await import('./init.ts')).init(args) }],
  [
    'cache',
    {
      argsMax: 1,
      flags: ['config', 'json', 'scope', 'key'],
      run: async (flags) => (await import('./cache.ts')).cache(flags),
    },
  ],
  ['schema', { argsMax: 0, flags: [], run: async () => (await import('./schema.ts')).schema() }],
  [
    'import',
    { argsMax: 2, flags: [], run: async ({ args }) => (await import('./import.ts')).importConfiguration(args) },
  ],
  ['healthcheck', { argsMax: 0, flags: [], run: async () => (await import('./healthcheck.ts')).healthcheck() }],
])

/**
 * Runs a command line. A command that gives an exit code has ended; one that gives none goes on as a server.
 *
 * @example
 * await run(process.argv.slice(2))
 */
export async function run(args: readonly string[]): Promise<void> {
  const parsed = parse(args)
  if (typeof parsed === 'string') return exit(`${parsed}\nRun nexcode --help for what there is.\n`)
  const { values, positionals } = parsed
  if (values.help) return void process.stdout.write(renderHelp(VERSION))
  if (values.version) return void process.stdout.write(`nexcode ${VERSION}\n`)
  const [name = 'serve', ...words] = positionals
  const command = COMMANDS.get(name)
  if (command === undefined) return exit(`nexcode: there is no command "${name}".\n${renderHelp(VERSION)}`)
  const surplus = words.slice(command.argsMax)
  if (surplus.length > 0) return exit(`nexcode ${name}: "${surplus.join(' ')}" is not expected here.\n`)
  const foreign = FLAGS.find((flag) => isGiven(values[flag]) && !command.flags.includes(flag))
  if (foreign !== undefined)
    return exit(`nexcode ${name}: --${foreign} is not for this command.\nRun nexcode --help for what there is.\n`)
  const { 'on-miss': onMiss, once, config, json, path, to, from, pace, ignore, blank = [], scope, key } = values
  const code = await command.run({
    once,
    config,
    json,
    path,
    to,
    from,
    pace,
    onMiss,
    ignore,
    blank,
    scope,
    key,
    args: words,
  })
  if (code !== undefined) process.exit(code)
}

function isGiven(value: string | boolean | readonly string[] | undefined): boolean {
  return value !== undefined && value !== false
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', short: 'v', default: false },
        once: { type: 'boolean', default: false },
        config: { type: 'string', short: 'c' },
        json: { type: 'boolean', default: false },
        path: { type: 'string' },
        to: { type: 'string' },
        from: { type: 'string' },
        pace: { type: 'string' },
        'on-miss': { type: 'string' },
        ignore: { type: 'string' },
        blank: { type: 'string', multiple: true },
        scope: { type: 'string' },
        key: { type: 'string' },
      },
    })
  } catch (cause) {
    return `nexcode: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}

function exit(message: string): void {
  process.stderr.write(message)
  process.exit(INVALID)
}
