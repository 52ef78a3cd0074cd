import type { ApiToken } from './api-tokens.ts'
import type { Secret } from './secret.ts'
import type { Settings } from './settings.ts'

/** The levels of the log, from the most to the least talkative (pino's, and `silent`). */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** One level of the log. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** The forms of a log line. */
export const LOG_FORMATS = ['json', 'pretty'] as const

/** One form of a log line. */
export type LogFormat = (typeof LOG_FORMATS)[number]

/** What HTTPS is served with: PEM texts. */
export interface TlsTexts {
  readonly cert: string
  readonly key: Secret
}

/** Everything that can be configured, checked and deeply frozen. Milliseconds of 0 mean: no limit. */
export interface Config {
  /** The environment's upstream, which a file may put others in the place of (`settings`). */
  readonly upstream: {
    /** http(s), without a slash at its end. */
    readonly baseUrl: string
    readonly apiKey: Secret | undefined
    readonly organization: string | undefined
    readonly project: string | undefined
  }
  /** Put in where a chat or text completion names no model; undefined: OpenAI's default, for OpenAI only. */
  readonly defaultModel: string | undefined
  readonly server: {
    /** A name or an address, in its canonical form; IPv6 without brackets. */
    readonly host: string
    /** 0: any free port. */
    readonly port: number
    /** Whether only this machine can reach `host`. */
    readonly isLoopback: boolean
    readonly tls: TlsTexts | undefined
    /** As browsers send them in `Origin`, or `*`. */
    readonly corsOrigins: readonly string[]
  }
  readonly auth: {
    readonly required: boolean
    readonly tokens: readonly ApiToken[]
    /** Whether a program of this machine may spend the server's key, where only this machine can reach `host`. */
    readonly lendsToLocal: boolean
  }
  readonly log: { readonly level: LogLevel; readonly format: LogFormat }
  readonly timeouts: {
    readonly firstByteMs: number
    readonly streamIdleMs: number
    readonly uploadIdleMs: number
    readonly writeIdleMs: number
    readonly totalMs: number
    readonly drainMs: number
  }
  readonly limits: {
    readonly jsonBytesMax: number
    readonly uploadBytesMax: number
    readonly inFlightMax: number
    /** Of a hundred places or connections: as many may one caller hold while others want some. 100: all. */
    readonly callerSharePercent: number
    /** 0: as many as the files that may be open allow. */
    readonly connectionsMax: number
    /** 0: a body may come at any rate. */
    readonly uploadBytesPerSecondMin: number
    /** What bodies, and what is made of them, may take of memory, all together. */
    readonly memoryBytesMax: number
    /** Of one request of one caller, in a minute; 0: no limit. */
    readonly failedRepeatsMax: number
  }
  /** Processes that serve, sharing the port; 1: this one alone. */
  readonly workers: number
  /** Silence after which a stream gets a comment; 0: never. */
  readonly ssePingMs: number
  readonly debugHeaders: boolean
  /** The configuration file that the environment names. */
  readonly file: string | undefined
  /** What goes where, and with which parameters: the environment's upstream, or what a file says. */
  readonly settings: Settings
}
