import { createSimulatedOpenAI, type SimulatedOpenAIOptions } from '../demo/simulated-openai.ts'
import { listenHttp1 } from '../edge/http1/listen.ts'
import { requestOf } from '../edge/http1/turn.ts'
import { createDeadlines } from '../timing/deadlines.ts'

/** A simulated OpenAI that listens on this machine. */
export interface SimulatedServer {
  /** Without `/v1`. */
  readonly url: string
  readonly close: () => void
}

/**
 * Starts the simulated OpenAI on a free port of 127.0.0.1.
 *
 * @example
 * const simulated = startSimulatedServer({ chunkDelayMs: 0 })
 */
export function startSimulatedServer(options: SimulatedOpenAIOptions = {}): SimulatedServer {
  const openai = createSimulatedOpenAI(options)
  const server = listenHttp1(
    { hostname: '127.0.0.1', port: 0 },
    {
      deadlines: createDeadlines(),
      uploadIdleMs: 0,
      writeIdleMs: 0,
      // A reset that was asked for, or a caller that left: either way the connection is over.
      serve: (turn) => openai.fetch(requestOf(turn)).catch(() => undefined),
      refuse: ({ body, entry }) => Response.json(body, { status: entry.status }),
      onDefect: () => undefined,
    },
  )
  return {
    url: `http://127.0.0.1:${server.port}`,
    close() {
      void server.close()
      server.closeAll()
    },
  }
}
