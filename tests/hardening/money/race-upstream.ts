import type { Random } from '../random.ts'

/** What an upstream has done. */
export interface RaceUpstream extends AsyncDisposable {
  readonly url: string
  /** By the key that it was asked for: what it bills for all that it has answered, in nano-dollars. */
  readonly billed: ReadonlyMap<string, bigint>
}

/** What a token costs that is read, and one that is written: those of gpt-4o, in nano-dollars. */
const PRICES = { read: 2500n, written: 10_000n }
/** The most that a call writes, as it asks for. */
export const WRITTEN_MAX = 100
const READ = 12
/** Of a thousand calls, one after the other. */
const FAULTS = { silent: 3, failed: 50, broken: 120 } as const
const TO_BYTES = new TextEncoder()

/**
 * Starts an upstream that answers as OpenAI does, after some milliseconds, with a random usage; some of its answers are a 500, break off in
 * the middle, or never come. Each call names its key as its `user`.
 */
export function startRaceUpstream(random: Random): RaceUpstream {
  const billed = new Map<string, bigint>()
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const { stream = false, user } = (await request.json()) as { readonly stream?: boolean; readonly user: string }
      const fate = random.below(1000)
      if (fate < FAULTS.silent) return new Promise<Response>(() => undefined)
      await Bun.sleep(random.below(8))
      if (fate < FAULTS.failed)
        return Response.json({ error: { message: 'no', type: 'server_error' } }, { status: 500 })
      const written = 1 + random.below(WRITTEN_MAX)
      const usage = { prompt_tokens: READ, completion_tokens: written, total_tokens: READ + written }
      const cost = BigInt(READ) * PRICES.read + BigInt(written) * PRICES.written
      billed.set(user, (billed.get(user) ?? 0n) + cost)
      if (!stream) return Response.json({ ...ANSWER, choices: [{ ...CHOICE, message: SAID }], usage })
      return new Response(streamed(usage, fate < FAULTS.broken, random), {
        headers: { 'content-type': 'text/event-stream' },
      })
    },
  })
  return { url: `http://127.0.0.1:${server.port}/v1`, billed, [Symbol.asyncDispose]: () => server.stop(true) }
}

const ANSWER = { id: 'chatcmpl-1', object: 'chat.completion', model: 'gpt-4o' }
const CHOICE = { index: 0, finish_reason: 'stop' }
const SAID = { role: 'assistant', content: 'hello' }

/** The events of a stream, in three writes; one that breaks off has only the first of them. */
async function* streamed(usage: object, breaks: boolean, random: Random): AsyncGenerator<Uint8Array> {
  const event = (value: object): string =>
    `data: ${JSON.stringify({ ...ANSWER, object: 'chat.completion.chunk', ...value })}\n\n`
  yield TO_BYTES.encode(event({ choices: [{ index: 0, delta: SAID }] }))
  await Bun.sleep(random.below(5))
  if (breaks) return
  yield TO_BYTES.encode(event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }))
  yield TO_BYTES.encode(`${event({ choices: [], usage })}data: [DONE]\n\n`)
}
