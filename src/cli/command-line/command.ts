import type { Flags } from '../flags.ts'
import type { OptionName } from './options.ts'

/** A command of the program. Exit codes: 0 for success, 1 for a failure, 2 for an invalid command line or configuration. */
export interface Command {
  readonly name: string
  /** Its forms on the command line, behind `nexcode`. */
  readonly usage: readonly string[]
  /** Its effect, in one line. */
  readonly summary: string
  /** More to know before using it. */
  readonly about: readonly string[]
  readonly options: readonly OptionName[]
  /** Complete command lines as examples. */
  readonly examples: readonly string[]
  /** The words of which one has to follow its name, for a command with several actions. */
  readonly actions?: readonly string[]
  /** The most words that may follow its name. */
  readonly argsMax: number
  /** Whether it may send many requests at once. */
  readonly sendsMany?: true
  /** Whether it goes on as a server, which SIGHUP must not end. */
  readonly serves?: true
  /** Loads and runs the command: each is loaded on demand. Gives the exit code; undefined: it goes on as a server. */
  readonly run: (flags: Flags) => Promise<number | undefined>
}
