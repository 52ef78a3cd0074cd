import { parseArgs } from 'node:util'
import { renderHelp } from './help.ts'
import { VERSION } from './version.ts'

/** Exit codes: 0 all is well, 1 it did not work, 2 what was asked for is not valid. */
const USAGE = 2

/** Gives an exit code, or none where it goes on as a server. */
type Command = (flags: { readonly once: boolean }) => Promise<number | undefined>

/** Each is loaded when it is run: a server need not wait for the demo's client. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['serve', async (): Promise<Command> => (await import('./serve.ts')).serve],
  ['demo', async (): Promise<Command> => (await import('./demo.ts')).demo],
  ['check', async (): Promise<Command> => (await import('./check.ts')).check],
  ['healthcheck', async (): Promise<Command> => (await import('./healthcheck.ts')).healthcheck],
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
  const [name = 'serve', ...others] = positionals
  const load = COMMANDS.get(name)
  if (load === undefined) return exit(`nexcode: there is no command "${name}".\n${renderHelp(VERSION)}`)
  if (others.length > 0) return exit(`nexcode ${name}: "${others.join(' ')}" is not expected here.\n`)
  const command = await load()
  const code = await command({ once: values.once })
  if (code !== undefined) process.exit(code)
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
      },
    })
  } catch (cause) {
    return `nexcode: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}

function exit(message: string): void {
  process.stderr.write(message)
  process.exit(USAGE)
}
