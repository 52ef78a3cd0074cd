import type { Admission } from '../access/admission.ts'
import type { ApiToken } from '../config/api-tokens.ts'
import type { Config } from '../config/config.ts'
import type { Settings } from '../config/settings.ts'
import type { MemoryBudget } from '../exchange/memory-budget.ts'
import type { LoadedExtension } from '../extensions/loaded-extension.ts'
import type { Log } from '../telemetry/log.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { ProxyFor } from '../upstream/exact/proxy-of.ts'
import type { Arrival } from './arrival.ts'
import type { Upgrade } from './upgrade.ts'

/** NexCode on Web standards: a request in, a response out. */
export interface App {
  /** An edge of ours tells of the request's arrival, and reads the note beside the response (`answers/body-note.ts`). */
  readonly fetch: (request: Request, arrival?: Arrival) => Promise<Response>
  /** Decides on a WebSocket upgrade; the relay itself is the edge's. */
  readonly upgrade: (request: Request, arrival: Arrival) => Promise<Upgrade>
  readonly admission: Admission
  readonly deadlines: Deadlines
  /** What is held, all together: the edge counts what waits for its clients. */
  readonly memory: MemoryBudget
  /** Has the requests that come from now on go by other settings; those under way keep theirs. */
  readonly apply: (settings: Settings, extensions?: readonly LoadedExtension[]) => void
  /** Lets in, from now on, the holders of these tokens; requests under way go on. */
  readonly admit: (tokens: readonly ApiToken[]) => void
  /** Begins what goes on without requests: the active checks of upstreams. */
  readonly start: () => void
  /** Ends that, for good. */
  readonly stop: () => void
  /** Waits for what goes on behind answers, and closes what was opened. For the end, when no request is under way. */
  readonly close: () => Promise<void>
}

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
