import { SimulatedReset } from '../../../src/demo/refusals.ts'
import { createSimulatedOpenAI, type SimulatedOpenAIOptions } from '../../../src/demo/simulated-openai.ts'

export const openai = createSimulatedOpenAI({ chunkDelayMs: 0 })

/** A POST with a JSON body; a string is sent as it stands. */
export function post(path: string, body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Request {
  return new Request(`http://simulated${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal ? { signal } : {}),
  })
}

/** A chat completion with one message of the user, and whatever else. */
export function chat(content: unknown, more: object = {}, headers: Record<string, string> = {}): Request {
  return post('/v1/chat/completions', { model: 'gpt-4o', messages: [{ role: 'user', content }], ...more }, headers)
}

/** The JSON of an answer, of which the test says what it is. */
export async function jsonOf<T>(request: Request): Promise<T> {
  const response = await openai.fetch(request)
  return (await response.json()) as T
}

/** The data of each event of a stream, in order; `[DONE]` as that string. */
export async function eventsOf<T>(request: Request): Promise<(T | '[DONE]')[]> {
  const text = await (await openai.fetch(request)).text()
  return text
    .split('\n\n')
    .map((frame) => /^data: (.*)$/m.exec(frame)?.[1])
    .filter((data) => data !== undefined)
    .map((data) => (data === '[DONE]' ? data : (JSON.parse(data) as T)))
}

/** A simulated OpenAI on a socket of its own. */
export function serveSimulation(options: SimulatedOpenAIOptions = { chunkDelayMs: 0 }) {
  const simulation = createSimulatedOpenAI(options)
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    development: false,
    fetch: (request) =>
      simulation.fetch(request).catch((error: unknown) => {
        if (!(error instanceof SimulatedReset) && !request.signal.aborted) throw error
        // A body that fails before its first byte: Bun closes the socket without an answer.
        return new Response(new ReadableStream({ pull: (controller) => controller.error(undefined) }))
      }),
  })
  return {
    baseURL: `http://127.0.0.1:${server.port}/v1`,
    stop: () => server.stop(true),
  }
}
