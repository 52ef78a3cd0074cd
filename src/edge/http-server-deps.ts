import type { App } from '../app.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../telemetry/log.ts'
import type { ProxyFor } from './proxy-of.ts'

/** What the edge serves, and how. */
export interface HttpServerDeps {
  readonly app: App
  readonly config: Config
  readonly log: Log
  /** The proxy that the environment has for a WebSocket's upstream, as for every other call; undefined: it has none. */
  readonly proxyFor: ProxyFor | undefined
  /** Whether other processes of ours listen on the same port, and share what comes. */
  readonly reusePort: boolean
}
