import type { Config } from '../config/config.ts'
import { ApiError } from '../openai/api-error.ts'
import { describeCause } from '../telemetry/describe-error.ts'
import type { HttpServerDeps } from './http-server-deps.ts'
import type { Crowd } from './http1/connection-room.ts'
import { type Http1Deps, type HttpServer, listenHttp1 } from './http1/listen.ts'
import type { StalledCut } from './http1/stalled-clients.ts'
import type { Transaction } from './http1/transaction.ts'

/**
 * Listens, and serves an app of Web standards over HTTP/1.1.
 *
 * Rejects with the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL) where it can't listen.
 *
 * @example
 * const server = await startHttpServer({ app, config, log, proxyFor })
 */
export async function startHttpServer(deps: HttpServerDeps): Promise<HttpServer> {
  const { app, config, log } = deps
  const { host, port, tls } = config.server
  const warnOfCrowd = warnNowAndThen(log)
  const warnOfCut = warnNowAndThen(log)
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
      // The relay is loaded when the first client wants one: most servers never need it, nor the modules below it.
      onUpgrade(head, socket, rest, from) {
        import('./websocket/upgrade-socket.ts').then(
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

/** Where a client may pause for ever, it is its rate that ends the pause. */
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

/** What makes one connection one too many makes thousands so. */
const WARNED_MS = 60_000

const FILES_USED_UP = 'open files are nearly used up: idle connections are closed for new ones; raise ulimit -n'
const CONNECTIONS_USED_UP =
  'there are as many connections as MAX_CONNECTIONS allows: idle ones are closed for new ones, or new ones turned away'

const MEMORY_USED_UP =
  'clients that take nothing of their answers are cut, since MAX_MEMORY_BYTES is used up: those first who have taken nothing for longest'

type WarnNowAndThen = (fields: Crowd | StalledCut, words: string) => void

function warnNowAndThen(log: HttpServerDeps['log']): WarnNowAndThen {
  let warnedAt = Number.NEGATIVE_INFINITY
  return (fields, words) => {
    if (performance.now() - warnedAt < WARNED_MS) return
    warnedAt = performance.now()
    log.warn(fields, words)
  }
}

async function serve(transaction: Transaction, { app, log }: HttpServerDeps): Promise<Response> {
  try {
    const { head, body, abort, from } = transaction
    const { target, request, isHttp10 } = head
    return await app.fetch(request, { target, isHttp10, abort, body: head.bodyBytes === 0 ? undefined : body, from })
  } catch (cause) {
    log.error({ err: cause }, 'a request could not be served')
    // That it was our fault, and nothing else: the cause is in the log.
    const { body, entry } = new ApiError('internal_error')
    return Response.json(body, { status: entry.status, headers: { connection: 'close' } })
  }
}
