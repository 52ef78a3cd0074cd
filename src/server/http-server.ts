import type { Admission } from '../access/admission.ts'
import type { AdmittedCallers } from '../access/door.ts'
import type { Config } from '../config/config.ts'
import type { Settings } from '../config/settings.ts'
import type { Arrival, BodilessRequest } from '../exchange/arrival.ts'
import type { MemoryBudget } from '../exchange/memory-budget.ts'
import type { LoadedExtension } from '../extensions/load/load-extensions.ts'
import { ApiError } from '../openai/api-error.ts'
import { describeCause } from '../telemetry/describe-error.ts'
import type { Log } from '../telemetry/log.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { ProxyFor } from '../upstream/exact/proxy-of.ts'
import type { Crowd } from './http1/connection-room.ts'
import { type Http1Deps, type HttpServer, listenHttp1 } from './http1/listen.ts'
import type { StalledCut } from './http1/stalled-clients.ts'
import type { Transaction } from './http1/transaction.ts'
import type { Upgrade } from './upgrade.ts'

/** NexCode on Web standards: a request in, a response out. */
export interface App {
  /** Answers a standard request with a standard response. */
  readonly fetch: (request: Request) => Promise<Response>
  /** Answers a request of the HTTP server, which reads the note that is attached to the response (`answers/body-note.ts`). */
  readonly serve: (request: BodilessRequest, arrival: Arrival) => Promise<Response>
  /** Decides on a WebSocket upgrade; the HTTP server relays it. */
  readonly upgrade: (request: BodilessRequest, arrival: Arrival) => Promise<Upgrade>
  readonly admission: Admission
  readonly deadlines: Deadlines
  /** The budget for all bytes that are held; the HTTP server counts the bytes that wait for clients. */
  readonly memory: MemoryBudget
  /**
   * Puts new settings in force for requests from now on; those under way keep theirs. Throws, and changes nothing, when the
   * settings can't be used.
   */
  readonly apply: (settings: Settings, extensions?: readonly LoadedExtension[]) => void
  /** Lets in the holders of these tokens, and of this key, from now on; requests under way go on. */
  readonly admit: (callers: AdmittedCallers) => void
  /** Starts the active health checks of upstreams, which run without requests. */
  readonly start: () => void
  /** Stops them for good. */
  readonly stop: () => void
  /** Waits for work that goes on behind answers, and closes stores. To be called at the end, when no request is under way. */
  readonly close: () => Promise<void>
  /** Writes what is left into the books, where there are any, and closes them, whatever still goes on: `close` does it last. */
  readonly closeBooks: () => Promise<void>
}

/** The dependencies of the HTTP server. */
export interface HttpServerDeps {
  readonly app: App
  readonly config: Config
  readonly log: Log
  /** Finds the environment's proxy for a WebSocket's upstream, as for every other call; undefined: it names none. */
  readonly proxyFor: ProxyFor | undefined
  /** Whether other worker processes listen on the same port, and share its connections. */
  readonly reusePort: boolean
}

/**
 * Listens, and serves an app of Web standards over HTTP/1.1.
 *
 * Rejects with the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL) when it can't listen.
 *
 * @example
 * const server = await startHttpServer({ app, config, log, proxyFor })
 */
export async function startHttpServer(deps: HttpServerDeps): Promise<HttpServer> {
  const { app, config, log } = deps
  const { host, port, tls } = config.server
  const warnOfCrowd = rateLimitedWarning(log)
  const warnOfCut = rateLimitedWarning(log)
  return listenHttp1(
    { hostname: host, port, tls, reusePort: deps.reusePort },
    {
      deadlines: app.deadlines,
      ...uploadLimits(config),
      writeIdleMs: config.timeouts.writeIdleMs,
      memory: app.memory,
      onStalledCut: (cut) => warnOfCut(cut, MEMORY_USED_UP),
      connections: { connectionsMax: config.limits.connectionsMax, sharePercent: config.limits.callerSharePercent },
      serve: (transaction) => serve(transaction, deps),
      refuse(error) {
        const { status } = error.entry
        log.info({ status, error: error.kind, cause: describeCause(error.cause) }, 'malformed request')
        return Response.json(error.body, { status })
      },
      // The relay is loaded for the first client that wants it: most servers never need it, nor the modules below it.
      onUpgrade(head, socket, rest, from) {
        import('./websocket/answer-upgrade.ts').then(
          ({ answerUpgrade }) => answerUpgrade(deps, { head, socket, rest, from }),
          (cause: unknown) => socket.destroy(cause instanceof Error ? cause : undefined),
        )
      },
      onCrowded: (crowd) =>
        warnOfCrowd(crowd, crowd.connections_max === undefined ? FILES_USED_UP : CONNECTIONS_USED_UP),
      onDefect: (cause) => log.error({ err: cause }, 'a request could not be served'),
    },
  )
}

/** The window of the slowest rate where no limit on pauses is set: then only the rate ends a pause. */
const PACE_MS = 30_000

function uploadLimits({ timeouts, limits }: Config): Pick<Http1Deps, 'uploadIdleMs' | 'uploadPace'> {
  const { uploadIdleMs } = timeouts
  const bytesPerSecondMin = limits.uploadBytesPerSecondMin
  const windowMs = uploadIdleMs === 0 ? PACE_MS : uploadIdleMs
  return {
    uploadIdleMs: bytesPerSecondMin === 0 ? uploadIdleMs : windowMs,
    uploadPace: { bytesPerSecondMin, windowMs },
  }
}

/** A warning is repeated after so long at the earliest: a crowd brings thousands of connections that each deserve one. */
const WARNING_GAP_MS = 60_000

const FILES_USED_UP = 'open files are nearly used up: idle connections are closed for new ones; raise ulimit -n'
const CONNECTIONS_USED_UP =
  'there are as many connections as MAX_CONNECTIONS allows: idle ones are closed for new ones, or new ones turned away'

const MEMORY_USED_UP =
  'clients that take nothing of their answers are cut, since MAX_MEMORY_BYTES is used up: those first who have taken nothing for longest'

type RateLimitedWarning = (fields: Crowd | StalledCut, words: string) => void

function rateLimitedWarning(log: HttpServerDeps['log']): RateLimitedWarning {
  let warnedAt = Number.NEGATIVE_INFINITY
  return (fields, words) => {
    if (performance.now() - warnedAt < WARNING_GAP_MS) return
    warnedAt = performance.now()
    log.warn(fields, words)
  }
}

async function serve(transaction: Transaction, { app, log }: HttpServerDeps): Promise<Response> {
  try {
    const { head, body, abort, from } = transaction
    const { target, request, isHttp10 } = head
    return await app.serve(request, { target, isHttp10, abort, body: head.bodyBytes === 0 ? undefined : body, from })
  } catch (cause) {
    log.error({ err: cause }, 'a request could not be served')
    // The client learns only that it was our fault: the cause is in the log.
    const { body, entry } = new ApiError('internal_error')
    return Response.json(body, { status: entry.status, headers: { connection: 'close' } })
  }
}
