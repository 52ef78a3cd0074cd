import type { OptionName } from './command-line/options.ts'

/** The options of a command line that have a value, by name. */
export type OptionValues = Readonly<Partial<Record<OptionName, string>>>

/** The options and words of a command line, beside the command's name. */
export interface Flags {
  readonly once: boolean
  /** The path of a configuration file. */
  readonly config: string | undefined
  readonly json: boolean
  /** The path of the request to explain. */
  readonly path: string | undefined
  /** The folder that cassettes are recorded to. */
  readonly to: string | undefined
  /** The folder that cassettes are replayed from. */
  readonly from: string | undefined
  /** The pace at which cassettes are replayed. */
  readonly pace: string | undefined
  /** The action for a request without a cassette. */
  readonly onMiss: string | undefined
  /** The parts of a request that are not compared with cassettes. */
  readonly ignore: string | undefined
  /** Regular expressions: their matches are removed from texts before requests are compared with cassettes. */
  readonly blank: readonly string[]
  /** The scope of the kept answers. */
  readonly scope: string | undefined
  /** The key of one kept answer. */
  readonly key: string | undefined
  /** The port of the simulated OpenAI. */
  readonly port: string | undefined
  /** All options with a value, by name. */
  readonly values: OptionValues
  readonly csv: boolean
  /** The words behind the command's name. */
  readonly args: readonly string[]
}
