/** What stands on a command line beside the command. */
export interface Flags {
  readonly once: boolean
  /** The path of a configuration file. */
  readonly config: string | undefined
  readonly json: boolean
  /** The path of the request that is to be explained. */
  readonly path: string | undefined
  /** The folder that cassettes are recorded to. */
  readonly to: string | undefined
  /** The folder that cassettes are replayed from. */
  readonly from: string | undefined
  /** How fast cassettes are replayed. */
  readonly pace: string | undefined
  /** What becomes of a request without a cassette. */
  readonly onMiss: string | undefined
  /** What is not compared where a cassette is looked for. */
  readonly ignore: string | undefined
  /** What is taken out of texts where a cassette is looked for: regular expressions. */
  readonly blank: readonly string[]
  /** Whose kept answers are meant. */
  readonly scope: string | undefined
  /** The key of one kept answer. */
  readonly key: string | undefined
  /** The port of the simulated OpenAI. */
  readonly port: string | undefined
  /** What follows the command's name. */
  readonly args: readonly string[]
}
