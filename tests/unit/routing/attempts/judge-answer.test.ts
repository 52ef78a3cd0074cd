import { describe, expect, test } from 'bun:test'
import { wholeOf } from '../../../../src/answers/body-note.ts'
import { Secret } from '../../../../src/config/secret.ts'
import type { Exchange } from '../../../../src/exchange/exchange.ts'
import { ApiError } from '../../../../src/openai/api-error.ts'
import { CHAT_COMPLETIONS } from '../../../../src/openai/endpoints.ts'
import type { Attempt, AttemptDeps } from '../../../../src/routing/attempts/attempt.ts'
import { judgeAnswer } from '../../../../src/routing/attempts/judge-answer.ts'
import { fakeClock } from '../targets/router-parts.ts'

interface Setup {
  readonly spendsKey?: boolean
  readonly account?: 'server' | 'caller'
  /** For how long a good answer's beginning may be held back; 0: it goes on at once. */
  readonly heldMs?: number
  /** The path of the request; absent: a chat completion's. */
  readonly path?: string
}

/** Judges an answer to a request of which another target could be asked. */
function judging(answer: Response, { spendsKey = false, account = 'server', heldMs = 5_000, path }: Setup = {}) {
  const clock = fakeClock()
  const abort = new AbortController()
  const exchange: Pick<Exchange, 'request' | 'requestTarget' | 'endpoint'> = {
    request: new Request('http://localhost/', { method: 'POST' }),
    requestTarget: path ?? '/v1/chat/completions',
    endpoint: path === undefined ? CHAT_COMPLETIONS : undefined,
  }
  const call: Pick<Attempt['call'], 'abort' | 'account' | 'streamIdleMs' | 'spentKey'> = {
    abort,
    account,
    streamIdleMs: 0,
    spentKey: spendsKey ? new Secret('sk-1') : undefined,
  }
  const attempt: Pick<Attempt, 'exchange' | 'call' | 'heldUntil'> = {
    exchange: exchange as Exchange,
    call: call as Attempt['call'],
    heldUntil: heldMs === 0 ? undefined : clock.now() + heldMs,
  }
  const deps: Pick<AttemptDeps, 'now' | 'deadlines'> = { now: clock.now, deadlines: clock.deadlines }
  return { judged: judgeAnswer(attempt as Attempt, answer, deps as AttemptDeps), clock, abort }
}

const judge = async (answer: Response, setup: Setup = {}) => judging(answer, setup).judged
const json = (value: unknown, status = 200): Response => {
  const text = JSON.stringify(value)
  return new Response(text, {
    status,
    headers: { 'content-type': 'application/json', 'content-length': `${text.length}` },
  })
}
const events = (...pieces: readonly string[]): Response =>
  new Response(pieces.join(''), { headers: { 'content-type': 'text/event-stream' } })
const errorOf = (fields: object) => ({ error: { message: 'm', param: null, code: null, type: 't', ...fields } })
const AS_IT_CAME = { error: undefined, cause: undefined, isUnbilled: false, key: undefined, why: undefined }

describe('by its head alone', () => {
  test('a page or a redirect where JSON belongs is no answer of an API', async () => {
    const page = new Response('<html>', { headers: { 'content-type': 'text/html' } })
    for (const answer of [page, new Response(null, { status: 302 })]) {
      expect(await judge(answer)).toEqual({ ...AS_IT_CAME, answer, cause: 'invalid', why: 'invalid' })
    }
  })

  test.each([400, 404, 429, 500, 503])('a %d counts by its status, and is handed on unread', async (status) => {
    const answer = json(errorOf({}), status)
    const judged = await judge(answer)
    expect(judged).toEqual({ ...AS_IT_CAME, answer, cause: status })
    expect(answer.bodyUsed).toBe(false)
  })

  test('a stream goes on unread where no other target could be asked', async () => {
    const answer = events('data: {"error":{"message":"no"}}\n\n')
    expect((await judge(answer, { heldMs: 0 })).answer).toBe(answer)
  })

  test('short JSON is looked into all the same: none of it goes on before all has come', async () => {
    expect((await judge(json(errorOf({ type: 'server_error' })), { heldMs: 0 })).why).toBe('error_inside')
  })

  test('short JSON that is good goes on whole, one that breaks off goes on broken, and one whose call is over goes nowhere', async () => {
    const good = await judge(json({ choices: [] }), { heldMs: 0 })
    expect(new TextDecoder().decode(good.answer && wholeOf(good.answer))).toBe('{"choices":[]}')
    const headers = { 'content-type': 'application/json', 'content-length': '20' }
    const breaking = (): Response =>
      new Response(new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) }), { headers })
    const broken = await judge(breaking(), { heldMs: 0 })
    expect({ ...broken, answer: undefined }).toEqual({ ...AS_IT_CAME, answer: undefined })
    expect(broken.answer?.arrayBuffer()).rejects.toThrow('reset')
    const { judged, abort } = judging(breaking(), { heldMs: 0 })
    abort.abort()
    expect(Promise.resolve(judged)).rejects.toThrow('reset')
  })

  test('what is not made by a model goes on unread', async () => {
    const answer = json(errorOf({}))
    expect((await judge(answer, { path: '/v1/files' })).answer).toBe(answer)
  })
})

describe('an error where the server’s key was spent', () => {
  const spent = { spendsKey: true }

  test('that refuses the key is no answer: the caller must not see what is wrong with it', async () => {
    const judged = await judge(json(errorOf({ code: 'invalid_api_key' }), 401), spent)
    expect(judged).toMatchObject({ answer: undefined, cause: 'key_refused', isUnbilled: true, key: 'refused' })
    expect(judged.error).toBeInstanceOf(ApiError)
    expect(judged.error?.kind).toBe('upstream_key_refused')
  })

  test('that says that the key has nothing left to spend goes on, and another may be asked', async () => {
    const judged = await judge(json(errorOf({ code: 'insufficient_quota' }), 429), spent)
    expect(judged).toMatchObject({ cause: 429, isUnbilled: true, key: 'spent', why: 'key_spent', error: undefined })
    expect(await judged.answer?.json()).toEqual(errorOf({ code: 'insufficient_quota' }))
  })

  test('that is about something else goes on with all of its bytes', async () => {
    const judged = await judge(json(errorOf({ code: 'context_length_exceeded' }), 400), spent)
    expect(judged).toMatchObject({ cause: 400, isUnbilled: false, key: undefined, why: undefined })
    expect(await judged.answer?.json()).toEqual(errorOf({ code: 'context_length_exceeded' }))
  })

  test('that breaks off, or is too long to be read, is judged by its status', async () => {
    const long = json(errorOf({ message: 'x'.repeat(70_000) }), 403)
    expect(await judge(long, spent)).toMatchObject({ cause: 403, key: undefined })
    const broken = new Response(new ReadableStream({ start: (controller) => controller.error(new Error('reset')) }), {
      status: 403,
    })
    expect(await judge(broken, spent)).toMatchObject({ cause: 403, key: undefined })
    const noJson = new Response('nope', { status: 401 })
    expect(await judge(noJson, spent)).toMatchObject({ cause: 'key_refused', key: 'refused' })
  })

  test('that speaks of the organization which the caller has named is the caller’s', async () => {
    const answer = () => json(errorOf({ message: 'No such organization: org-1' }), 401)
    expect((await judge(answer(), { ...spent, account: 'caller' })).key).toBeUndefined()
    expect((await judge(answer(), spent)).key).toBe('refused')
  })

  test('is not waited for where the call is over', async () => {
    const { judged, abort } = judging(
      new Response(
        new ReadableStream({
          pull(controller) {
            abort.abort(new ApiError('client_closed'))
            controller.error(abort.signal.reason)
          },
        }),
        { status: 401 },
      ),
      spent,
    )
    expect(judged).rejects.toMatchObject({ kind: 'client_closed' })
  })
})

describe('the beginning of a good answer', () => {
  test('that is one is handed on, JSON whole and a stream as it comes', async () => {
    const whole = await judge(json({ id: 'c', choices: [] }))
    expect({ ...whole, answer: undefined }).toEqual({ ...AS_IT_CAME, answer: undefined })
    expect(wholeOf(whole.answer ?? new Response())).toBeDefined()
    const text = 'data: {"choices":[{"delta":{"content":"hi"}}]}\n\ndata: [DONE]\n\n'
    const stream = await judge(events(text))
    expect({ ...stream, answer: undefined }).toEqual({ ...AS_IT_CAME, answer: undefined })
    expect(await stream.answer?.text()).toBe(text)
  })

  test.each([
    [{ type: 'rate_limit_error' }, 429],
    [{ code: 503 }, 503],
    [{ type: 'server_error' }, 500],
    [{ type: 'odd' }, 'invalid'],
  ])('that is an error with %j counts as %p, and was not paid for', async (fields, cause) => {
    for (const answer of [json(errorOf(fields)), events(`data: ${JSON.stringify(errorOf(fields))}\n\n`)]) {
      const judged = await judge(answer)
      expect(judged).toMatchObject({ cause, isUnbilled: true, why: 'error_inside', error: undefined })
      expect(await judged.answer?.text()).toContain(JSON.stringify(errorOf(fields)))
    }
  })

  test('that says the caller is at fault is handed on: no other target would say anything else', async () => {
    const judged = await judge(json(errorOf({ type: 'invalid_request_error' })))
    expect(judged).toMatchObject({ cause: undefined, isUnbilled: false, why: 'error_inside' })
  })

  test('that refuses the server’s key is no answer, and one that says the same of a caller’s own goes on', async () => {
    const answer = () => events(`data: ${JSON.stringify(errorOf({ code: 'invalid_api_key', status: 401 }))}\n\n`)
    expect(await judge(answer(), { spendsKey: true })).toMatchObject({ answer: undefined, key: 'refused' })
    expect(await judge(answer())).toMatchObject({ key: undefined, cause: 401, why: 'error_inside' })
  })

  test('that never comes, of a stream that ends without an event, is no answer', async () => {
    const judged = await judge(events(': ping\n\n'))
    expect(judged).toMatchObject({ answer: undefined, cause: 'invalid', isUnbilled: true, why: 'no_event' })
    expect(judged.error?.kind).toBe('upstream_invalid_response')
  })

  test('that breaks off may have been paid for: whoever gets it sees it break', async () => {
    const broken = new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode(': ping\n\n')),
        pull: (controller) => controller.error(new Error('reset')),
      }),
      { headers: { 'content-type': 'text/event-stream' } },
    )
    const judged = await judge(broken)
    expect({ ...judged, answer: undefined }).toEqual({ ...AS_IT_CAME, answer: undefined })
    expect(judged.answer?.text()).rejects.toThrow('reset')
  })

  test('is held back no longer than there is time, and then goes on as far as it has come', async () => {
    const silent = new Response(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } })
    const { judged, clock } = judging(silent, { heldMs: 600 })
    clock.advance(499)
    clock.advance(1)
    expect({ ...(await judged), answer: undefined }).toEqual({ ...AS_IT_CAME, answer: undefined })
  })
})
