import type { App } from '../app.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../telemetry/log.ts'

/** What the edge serves, and how. */
export interface HttpServerDeps {
  readonly app: App
  readonly config: Config
  readonly log: Log
  /** The HTTP proxy to reach a URL through, if any; fetch knows by itself, a WebSocket's socket does not. */
  readonly proxyFor: (url: URL) => URL | undefined
  /** Whether other processes of ours listen on the same port, and share what comes. */
  readonly reusePort: boolean
}
