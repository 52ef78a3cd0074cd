import { type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts'

/** What a caller of the flaky upstream is told before it is served. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** How the calls with each key fail; each key counts for itself. */
export type Refusals = Readonly<Record<string, readonly Refusal[]>>

/** An upstream that refuses the first calls made with a key, and serves the next. */
export interface FlakyUpstream {
  /** With `/v1`. */
  readonly baseUrl: string
  /** What came in with a key, as the number that the SDK gave each attempt, in order. */
  readonly attempts: (key: string) => readonly (string | undefined)[]
  readonly close: () => Promise<void>
}

/**
 * Starts a flaky upstream. A key is `<case>` or `<case>:<anything>`: the part in front of the colon finds its refusals,
 * the whole of it counts for itself.
 *
 * Once the refusals are used up, the answer is a chat completion.
 */
export async function startFlakyUpstream(refusals: Refusals): Promise<FlakyUpstream> {
  const attempts = new Map<string, (string | undefined)[]>()
  const upstream: ScriptedUpstream = await startScriptedUpstream(async (request, connection) => {
    const key = request.header('authorization')?.slice('Bearer '.length) ?? ''
    const before = attempts.get(key) ?? []
    attempts.set(key, [...before, request.header('x-stainless-retry-count')])
    await request.body
    const refusal = refusals[key.split(':', 1)[0] ?? '']?.[before.length]
    if (refusal === undefined) return connection.json(COMPLETION)
    const error = { message: 'Not now.', type: 'server_error', param: null, code: 'flaky' }
    connection.json({ error }, refusal.status, { 'x-request-id': `req_${before.length + 1}`, ...refusal.headers })
  })
  return {
    baseUrl: `${upstream.url}/v1`,
    attempts: (key) => attempts.get(key) ?? [],
    close: upstream.close,
  }
}

const COMPLETION = {
  id: 'chatcmpl-flaky',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o',
  choices: [{ index: 0, message: { role: 'assistant', content: 'At last.', refusal: null }, finish_reason: 'stop' }],
}
