import type { LogSettings } from './sections/diagnostics.ts'
import type { LimitSettings } from './sections/limits.ts'
import type { ServerSettings } from './sections/server.ts'
import type { ServerTimeouts } from './sections/timeouts.ts'
import type { AuthSettings } from './sections/tokens.ts'
import type { EnvUpstream } from './sections/upstreams/env-upstream.ts'
import type { Settings } from './settings.ts'

/** Everything that can be configured, checked and deeply frozen. Milliseconds of 0 mean: no limit. */
export interface Config {
  /** The environment's upstream, which a file may put others in the place of (`settings`). */
  readonly upstream: EnvUpstream
  /** Put in where a chat or text completion names no model; undefined: OpenAI's default, for OpenAI only. */
  readonly defaultModel: string | undefined
  readonly server: ServerSettings
  readonly auth: AuthSettings
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
  /** Where requests go, and with which parameters: by the environment's upstream, or by a file. */
  readonly settings: Settings
}
