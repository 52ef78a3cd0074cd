import type { Launch } from '../run-process.ts'

/** Where a gateway is to listen, and where its upstream does. */
export interface Place {
  readonly port: number
  readonly upstreamPort: number
  /** A folder of the gateway's own for its configuration. */
  readonly dir: string
  readonly setup: Setup
}

/**
 * How a gateway is set up: `plain` is as shipped; with `auth`, callers need a token and the upstream gets a key of the gateway's
 * own; with `cache`, answers are kept in memory; with `models`, a model has a target and a fallback, at two upstreams, and a rule caps the answer's
 * tokens; with `metered`, callers have a key of a ledger, with rates and budgets, and with `token` the same file but for what is of the ledger, and
 * one token.
 */
export type Setup = 'plain' | 'auth' | 'cache' | 'models' | 'token' | 'metered'

/** One program that is measured. */
export interface Gateway {
  /** The name on the command line and in the results. */
  readonly name: string
  /** `floor`: our stack without us; `limit`: plain proxies in C; `peer`: gateways that do what NexCode does. */
  readonly kind: 'ours' | 'floor' | 'limit' | 'peer'
  /** The settings that it runs with, in a line for the report. */
  readonly settings: string
  /** Makes it startable; throws `Unavailable` where that is not possible. Says which version it is. */
  prepare(): Promise<string>
  launch(place: Place): Launch
  /** A path that answers 200 as soon as requests can be served; absent: a chat completion says so. */
  readonly readyPath: string | undefined
  readonly readyTimeoutMs: number
  /** Whether it listens where it likes, and writes a line `PORT <number>` to its log. */
  readonly choosesPort?: boolean
  /** The path of chat completions. */
  readonly chatPath: string
  /** Headers that its callers have to send beside the key. */
  readonly headers?: (place: Place) => Readonly<Record<string, string>>
  /** What callers call a model of the upstream. */
  readonly modelName?: (model: string) => string
  /** Whether it makes new bodies of what the upstream answers; then only the content is compared. */
  readonly rewritesAnswers: boolean
  /** Whether a body that names no model is answered. */
  readonly fillsModel: boolean
  /** How it can be set up beside `plain`. */
  readonly setups: readonly Setup[]
  /** The file whose size counts as the program's, where it is one file. */
  readonly binary?: () => string
}

/** What callers present where the setup is `auth` or `token`. */
export const CALLER_TOKEN = 'bench-caller-token-0123456789abcdef'

/** What callers present elsewhere. */
export const CALLER_KEY = 'sk-bench-caller-0123456789abcdef'

/** The settings that most plain proxies share. */
export const PLAIN = {
  readyPath: '/v1/models',
  readyTimeoutMs: 10_000,
  chatPath: '/v1/chat/completions',
  rewritesAnswers: false,
  fillsModel: false,
  setups: [],
} as const
