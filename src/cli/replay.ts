import type { NamedCassette } from '../cassettes/cassette.ts'
import type { CassetteFolder, CassetteWriter } from '../cassettes/cassette-folder.ts'
import { readCassettes, renderCassetteProblems } from '../cassettes/cassette-folder.ts'
import { createCassettes } from '../cassettes/cassettes.ts'
import { createCassettePlayer } from '../cassettes/player.ts'
import { type Ignored, readIgnored } from '../cassettes/request-key.ts'
import type { Settings } from '../config/settings.ts'
import { openFolder } from '../process/cassettes/open-folder.ts'
import { explainFolder, openWriterAt } from '../process/cassettes/open-writer.ts'
import { createProcessRecorder, serveCassettes } from '../process/cassettes/serve-cassettes.ts'
import { serverSecrets } from '../process/cassettes/server-secrets.ts'
import { type Configuration, readEnvironment, readWholeConfiguration } from '../process/configuration.ts'
import { sha256 } from '../process/sha256.ts'
import { INVALID } from '../process/start-failure.ts'
import { createDeadlines, createSleep } from '../timing/deadlines.ts'
import type { Pace } from '../timing/paced-stream.ts'
import type { Flags } from './flags.ts'

/** The flags of `nexcode replay`. */
export interface ReplayFlags extends Pick<Flags, 'config'> {
  /** The folder of the cassettes. */
  readonly from: string | undefined
  /** `instant` (the default) or `original`. */
  readonly pace: string | undefined
  /** The action for a request without a cassette: `fail` (the default), `forward` or `record`. */
  readonly onMiss: string | undefined
  /** The members that are not compared, separated by commas, such as `seed,messages.*.name`. */
  readonly ignore: string | undefined
  /** Regular expressions: their matches are removed from all texts before requests are compared. */
  readonly blank: readonly string[]
}

type OnMiss = 'fail' | 'forward' | 'record'

const PACES: readonly Pace[] = ['instant', 'original']
const ON_MISS: readonly OnMiss[] = ['fail', 'forward', 'record']

const ANY_KEY = 'off: no key is needed, any will do, and none is spent.'

/** Answers from cassettes instead of an upstream, until a signal ends it. Gives the exit code when it can't start. */
export async function replay(flags: ReplayFlags): Promise<number | undefined> {
  const { from, ignore } = flags
  if (from === undefined || from === '') {
    return refuse('nexcode replay: say which folder the cassettes are in: nexcode replay --from cassettes/')
  }
  const pace = oneOf(PACES, flags.pace)
  if (pace === undefined) return refuse(`nexcode replay: --pace is ${PACES.join(' or ')}.`)
  const onMiss = oneOf(ON_MISS, flags.onMiss)
  if (onMiss === undefined)
    return refuse(`nexcode replay: --on-miss is ${ON_MISS.join(', ').replace(/, (?=\w+$)/, ' or ')}.`)
  const blanks = patternsOf(flags.blank)
  if (typeof blanks === 'string') return refuse(`nexcode replay: --blank ${blanks}`)
  const configuration = await configurationFor(onMiss, flags.config)
  if (configuration === undefined) return INVALID
  const folder = openFolder(from)
  const cassettes = await cassettesAt(from, folder, onMiss)
  const writer = onMiss === 'record' ? await openWriterAt(from, folder) : undefined
  if (cassettes === undefined || (onMiss === 'record' && writer === undefined)) return INVALID
  const ignored = readIgnored(ignore, blanks)
  return serveReplay({ configuration, cassettes, writer, from, pace, onMiss, ignored })
}

interface Replay {
  readonly configuration: Configuration
  readonly cassettes: readonly NamedCassette[]
  readonly writer: CassetteWriter | undefined
  readonly from: string
  readonly pace: Pace
  readonly onMiss: OnMiss
  readonly ignored: Ignored
}

function serveReplay({ configuration, cassettes, writer, from, pace, onMiss, ignored }: Replay) {
  const { config } = configuration
  const isClosed = onMiss === 'fail'
  const known = new Set(serverSecrets(config))
  const secrets = (): readonly string[] => [...known]
  const sleep = createSleep(createDeadlines())
  const now = (): number => performance.now()
  const player = createCassettePlayer(cassettes, { pace, ignored, isClosed, sleep, now, sha256, secrets })
  return serveCassettes({
    configuration,
    cassettesFor(log) {
      if (writer === undefined) return createCassettes({ player })
      return createCassettes({
        player,
        recorder: createProcessRecorder(writer, { log, secrets, onWritten: player.add }),
      })
    },
    onConfig(changed) {
      // Former secrets stay in the set: a call under way may still have one.
      for (const secret of serverSecrets(changed)) known.add(secret)
      return isClosed ? { ...changed, settings: withoutChecks(changed.settings) } : changed
    },
    describe({ upstream, access }) {
      const played = `replaying ${count(cassettes.length, 'cassette')} from ${from}`
      if (isClosed) return { upstream: `${played}, no upstream`, access: config.auth.required ? access : ANY_KEY }
      return {
        upstream: `${played}; what they lack goes to ${upstream}${writer === undefined ? '' : ', and is recorded'}`,
      }
    },
  })
}

/** Reads the configuration. Without an upstream a file is read only when a flag names it, and keys may be missing. */
async function configurationFor(onMiss: OnMiss, flag: string | undefined): Promise<Configuration | undefined> {
  const isClosed = onMiss === 'fail'
  if (!isClosed || flag !== undefined) return readWholeConfiguration(process.env, flag, isClosed)
  return readEnvironment(process.env)
}

/** Reads the cassettes of a folder. Prints the problems, and gives undefined then. */
async function cassettesAt(
  path: string,
  folder: CassetteFolder,
  onMiss: OnMiss,
): Promise<readonly NamedCassette[] | undefined> {
  try {
    const { cassettes, problems } = await readCassettes(folder)
    if (problems.length > 0) {
      refuse(
        `nexcode replay: ${count(problems.length, 'problem')} in ${path}\n${renderCassetteProblems(path, problems)}`,
      )
      return undefined
    }
    if (cassettes.length > 0 || onMiss === 'record') return cassettes
    refuse(`nexcode replay: there are no cassettes in ${path}. Make some: nexcode record --to ${path}`)
  } catch (cause) {
    refuse(explainFolder(path, cause))
  }
  return undefined
}

/** Removes the health checks of upstreams: no upstream is to be called. */
function withoutChecks(settings: Settings): Settings {
  return { ...settings, upstreams: settings.upstreams.map((upstream) => ({ ...upstream, check: undefined })) }
}

/** Compiles the patterns. A text: the fault of one of them. */
function patternsOf(written: readonly string[]): readonly RegExp[] | string {
  const patterns: RegExp[] = []
  for (const source of written) {
    try {
      patterns.push(new RegExp(source, 'gu'))
    } catch (cause) {
      return `${JSON.stringify(source)} is no regular expression of JavaScript (${cause instanceof Error ? cause.message : cause}).`
    }
  }
  return patterns
}

/** Finds a word among those that are allowed; the first is the default. undefined: it is none of them. */
function oneOf<T extends string>(words: readonly T[], said: string | undefined): T | undefined {
  return said === undefined ? words[0] : words.find((word) => word === said)
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

function refuse(text: string): number {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`)
  return INVALID
}
