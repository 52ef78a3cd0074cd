import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSimulatedOpenAI, type SimulatedOpenAIOptions } from '../demo/simulated-openai.ts'
import { toRequest } from '../edge/to-request.ts'
import { writeResponse } from '../edge/write-response.ts'
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
 * const simulated = await startSimulatedServer({ chunkDelayMs: 0 })
 */
export async function startSimulatedServer(options: SimulatedOpenAIOptions = {}): Promise<SimulatedServer> {
  const openai = createSimulatedOpenAI(options)
  const deadlines = createDeadlines()

  const serve = async (message: IncomingMessage, out: ServerResponse): Promise<void> => {
    const abort = new AbortController()
    out.on('close', () => abort.abort())
    message.on('error', () => undefined)
    const request = toRequest(message, { abort, deadlines, uploadIdleMs: 0 })
    await writeResponse(await openai.fetch(request), out, { deadlines, writeIdleMs: 0, isLast: false })
  }

  const server = createServer((message, out) => {
    // A reset that was asked for, or a caller that left: either way the connection is over.
    serve(message, out).catch(() => message.socket.resetAndDestroy())
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
