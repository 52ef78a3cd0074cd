import { createSimulatedOpenAI, type SimulatedOpenAIOptions } from '../demo/simulated-openai.ts'
import { serverUrl } from '../process/server-url.ts'
import { listenHttp1 } from '../server/http1/listen.ts'
import { requestOf } from '../server/http1/transaction.ts'
import { createDeadlines } from '../timing/deadlines.ts'

/** A simulated OpenAI that listens on this machine. */
export interface SimulatedServer {
  /** The URL without `/v1`. */
  readonly url: string
  readonly close: () => void
}

/** The address that it listens on, and the way it answers. */
export interface SimulatedServerOptions extends SimulatedOpenAIOptions {
  /** 127.0.0.1 where absent. */
  readonly hostname?: string
  /** Any free one where absent. */
  readonly port?: number
}

/**
 * Starts the simulated OpenAI. Throws the system's error when it can't listen.
 *
 * @example
 * const simulated = startSimulatedServer({ chunkDelayMs: 0 })
 */
export function startSimulatedServer(options: SimulatedServerOptions = {}): SimulatedServer {
  const { hostname = '127.0.0.1', port = 0, ...playing } = options
  const openai = createSimulatedOpenAI(playing)
  const server = listenHttp1(
    { hostname, port },
    {
      deadlines: createDeadlines(),
      uploadIdleMs: 0,
      writeIdleMs: 0,
      // It rejects for a reset that the caller asked for, or when the caller has left: either way the connection is over.
      serve: (transaction) => openai.fetch(requestOf(transaction)).catch(() => undefined),
      refuse: ({ body, entry }) => Response.json(body, { status: entry.status }),
      onDefect: () => undefined,
    },
  )
  return {
    url: serverUrl({ host: hostname, tls: undefined }, server.port, '127.0.0.1'),
    close() {
      void server.close()
      server.closeAll()
    },
  }
}
