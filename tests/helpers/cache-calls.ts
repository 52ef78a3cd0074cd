import { runProgram } from './run-program.ts'
import type { Script, UpstreamConnection } from './scripted-upstream.ts'

/** A request that asks for the same answer each time. */
export const FIXED = { model: 'm', temperature: 0 } as const

/** Answers each request with its number, in JSON. */
export function numbered(headers: Readonly<Record<string, string>> = {}): Script {
  let count = 0
  return async (request, connection) => {
    await request.body
    count += 1
    connection.json({ id: `answer-${count}`, object: 'thing', model: 'upstream-model' }, 200, headers)
  }
}

/** Answers with a stream, each of whose events is a chunk of its own. */
export function streamed(events: readonly string[], headers: Readonly<Record<string, string>> = {}): Script {
  return async (request, connection) => {
    await request.body
    beginStream(connection, headers)
    for (const event of events) connection.chunk(event)
    connection.endChunks()
  }
}

/** Sends the head of a stream. */
export function beginStream(connection: UpstreamConnection, headers: Readonly<Record<string, string>> = {}): void {
  connection.startChunked(200, { 'content-type': 'text/event-stream', ...headers })
}

/** An event of a chat completion's stream. */
export function event(text: string): string {
  return `data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`
}

/** The last event of a stream. */
export const DONE = 'data: [DONE]\n\n'

/** Reads an answer to its end, and gives what the cache says that it did. */
export async function wordOf(response: Response): Promise<string | null> {
  await response.arrayBuffer()
  return response.headers.get('x-nexcode-cache')
}

/** The words of requests that are sent one after the other. */
export async function wordsOf(sends: readonly (() => Promise<Response>)[]): Promise<(string | null)[]> {
  const words: (string | null)[] = []
  for (const send of sends) words.push(await wordOf(await send()))
  return words
}

/**
 * Resolves when a cache has so many entries: a store behind a network keeps an answer once its caller has it. `askAgain` makes the calls
 * whose answers are missing: on a busy machine the store may have been too slow for the first ones, which go on without it.
 */
export async function haveEntries(
  env: Readonly<Record<string, string>>,
  count: number,
  askAgain: () => Promise<unknown>,
): Promise<void> {
  const entries = async (): Promise<unknown> => {
    const { code, stdout } = await runProgram(['cache', 'stats', '--json'], env)
    return code === 0 ? (JSON.parse(stdout) as { readonly entries: unknown }).entries : undefined
  }
  while ((await entries()) !== count) await askAgain()
}
