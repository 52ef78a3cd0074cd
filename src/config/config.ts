import type { Secret } from './secret.ts'
import type { LogSettings } from './sections/diagnostics.ts'
import type { LimitSettings } from './sections/limits.ts'
import type { ServerSettings } from './sections/server.ts'
import type { ServerTimeouts } from './sections/timeouts.ts'
import type { AuthSettings } from './sections/tokens.ts'
import type { EnvUpstream } from './sections/upstreams/env-upstream.ts'
import type { Settings } from './settings.ts'

/** Everything that can be configured, checked and deeply frozen. Milliseconds of 0 mean: no limit. */
export interface Config {
  /** The environment's upstream, which a file's upstreams replace (`settings`). */
  readonly upstream: EnvUpstream
  /** The model for a chat or text completion that names none; undefined: OpenAI's default, for OpenAI only. */
  readonly defaultModel: string | undefined
  readonly server: ServerSettings
  readonly auth: AuthSettings
  /** The key that can manage the ledger, and can't call; undefined: only those in the ledger can. */
  readonly adminKey: Secret | undefined
  readonly log: LogSettings
  readonly timeouts: ServerTimeouts
  readonly limits: LimitSettings
  /** Processes that serve, sharing the port; 1: this one alone. */
  readonly workers: number
  /** Silence after which a stream gets a comment; 0: never. */
  readonly ssePingMs: number
  readonly debugHeaders: boolean
  /** The configuration file that the environment names. */
  readonly file: string | undefined
  /** The settings of requests: of the environment's upstream, or of a file. */
  readonly settings: Settings
}
