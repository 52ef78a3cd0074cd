import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { App } from '../app.ts'
import type { Config } from '../config/config.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Log } from '../telemetry/log.ts'
import type { HttpServerDeps } from './http-server-deps.ts'
import { answerMalformed } from './raw-answer.ts'
import { readRest } from './read-rest.ts'
import { hasBody, toRequest } from './to-request.ts'
import { mayAnswer, noteTurn } from './turn.ts'
import { createUnderWay, type UnderWay } from './under-way.ts'
import { answerConnect, answerUpgrade } from './upgrade.ts'
import { writeResponse } from './write-response.ts'

/** A server that listens. */
export interface HttpServer {
  readonly port: number
  /** Refuses new connections and closes idle ones. Resolves when the last byte of every answer has left. */
  readonly close: () => Promise<void>
  /** Breaks off every answer, in a way that none looks complete. */
  readonly breakOff: () => void
  /** Closes every connection at once. */
  readonly closeAll: () => void
}

/** Longer than the idle time of the usual load balancers (60 s), so that they close first and never race us. */
const KEEP_ALIVE_MS = 75_000
/** A head that drips is cut: the guard against slowloris. */
const HEAD_MS = 15_000

/**
 * Listens, and serves an app of Web standards over HTTP/1.1.
 *
 * Rejects with the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL) where it can't listen.
 *
 * @example
 * const server = await startHttpServer({ app, config, log })
 */
export async function startHttpServer(deps: HttpServerDeps): Promise<HttpServer> {
  const { app, config, log } = deps
  const { tls } = config.server
  const options = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEAD_MS,
    requestTimeout: 0,
    requireHostHeader: false,
  }
  const server: Server = tls === undefined ? createServer(options) : createTlsServer({ ...options, ...tls })
  let isClosing = false
  // The server itself closes only those connections that are idle when it is told to.
  const underWay = createUnderWay(() => isClosing && server.closeIdleConnections())
  const serve = createListener(app, config, log, underWay)
  server.on('request', (message: IncomingMessage, out: ServerResponse) => serve(message, out))
  server.on('checkContinue', (message: IncomingMessage, out: ServerResponse) => {
    serve(message, out, () => out.writeContinue())
  })
  // Only `100-continue` is an expectation; any other may be ignored (RFC 9110 §10.1.1).
  server.on('checkExpectation', (message: IncomingMessage, out: ServerResponse) => serve(message, out))
  server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Uint8Array) => {
    underWay.add(socket, () => socket.destroy())
    answerUpgrade(deps, message, socket, head)
  })
  server.on('connect', (message: IncomingMessage, socket: Duplex) => answerConnect(deps, message, socket))
  server.on('clientError', (error: Error, socket: Duplex) => {
    if (mayAnswer(socket)) answerMalformed(error, socket, log)
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.server.port, config.server.host, () => resolve())
  })
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      isClosing = true
      server.close()
      return underWay.settled()
    },
    breakOff: underWay.breakOff,
    closeAll() {
      // A socket that has become a WebSocket's is none of the server's connections any more.
      underWay.breakOff()
      server.closeAllConnections()
    },
  }
}

function createListener(app: App, config: Config, log: Log, underWay: UnderWay) {
  const { uploadIdleMs, writeIdleMs } = config.timeouts
  const { deadlines } = app

  const serve = async (message: IncomingMessage, out: ServerResponse, onFirstRead: () => void): Promise<void> => {
    const abort = new AbortController()
    underWay.add(out, (reason) => abort.abort(reason))
    out.on('close', () => {
      if (!out.writableFinished) abort.abort(new ApiError('client_closed'))
    })
    // A socket's error is followed by its close, which is what counts.
    message.on('error', () => undefined)
    out.on('error', () => undefined)
    const request = toRequest(message, { abort, deadlines, uploadIdleMs, onFirstRead })
    const response = await app.fetch(request)
    const isUnread = hasBody(message) && !message.complete
    await writeResponse(response, out, {
      deadlines,
      writeIdleMs,
      isLast: isUnread || app.admission.isDraining(),
      ...(isUnread && { beforeEnd: () => readRest(message, request, deadlines) }),
    })
  }

  return (message: IncomingMessage, out: ServerResponse, onFirstRead: () => void = () => undefined): void => {
    noteTurn(message, out)
    serve(message, out, onFirstRead).catch((cause: unknown) => {
      log.error({ err: cause }, 'a request could not be served')
      if (out.headersSent || out.destroyed) out.destroy()
      else answerDefect(out)
    })
  }
}

/** Says that it was our fault, and nothing else: the cause is in the log. */
function answerDefect(out: ServerResponse): void {
  const { body, entry } = new ApiError('internal_error')
  out.writeHead(entry.status, ['content-type', 'application/json; charset=utf-8', 'connection', 'close'])
  out.end(JSON.stringify(body))
}
