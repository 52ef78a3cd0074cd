import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI, { APIError } from 'openai'
import type { SimulatedServer } from '../../src/cli/simulated-server.ts'
import { type FlakyUpstream, startFlakyUpstream } from '../helpers/flaky-upstream.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

const messages = [{ role: 'user' as const, content: 'Hello' }]

/** The error that a call of the SDK ends with. */
async function errorOf(call: PromiseLike<unknown>): Promise<unknown> {
  try {
    await call
  } catch (error) {
    return error
  }
  throw new Error('The call did not fail.')
}

const ask = (client: OpenAI, model: string, options: OpenAI.RequestOptions = {}) =>
  client.chat.completions.create({ model, messages }, options)

describe('an upstream error reaches the official Node SDK as the exception that it raises directly', () => {
  let gateway: TestGateway<'openai', SimulatedServer>
  let direct: OpenAI
  let through: OpenAI

  beforeAll(async () => {
    gateway = await startGateway({ upstreams: { openai: 'simulated' } })
    const options = { apiKey: 'sk-of-the-caller', maxRetries: 0 }
    direct = new OpenAI({ ...options, baseURL: `${gateway.upstreams.openai.url}/v1` })
    through = new OpenAI({ ...options, baseURL: `${gateway.url}/v1` })
  })
  afterAll(() => gateway.stop())

  /** Everything that a program can learn from an error of the SDK. */
  function lookAt(error: unknown): unknown {
    if (!(error instanceof APIError)) throw error
    const { status, code, param, type, requestID, message, headers } = error
    const told = ['retry-after', 'retry-after-ms', 'x-should-retry', 'x-ratelimit-reset-requests'].map((name) => [
      name,
      headers?.get(name),
    ])
    return { kind: error.constructor.name, status, code, param, type, requestID, message, body: error.error, told }
  }

  /** Fails in the same way directly and through the gateway, and gives the error. */
  async function sameError(call: (client: OpenAI) => PromiseLike<unknown>): Promise<unknown> {
    const expected = lookAt(await errorOf(call(direct)))
    const error = await errorOf(call(through))
    expect(lookAt(error)).toEqual(expected)
    return error
  }

  test('400 BadRequestError', async () => {
    const error = await sameError((client) =>
      client.chat.completions.create({ model: 'gpt-4o', messages, stream_options: { include_usage: true } }),
    )
    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error).toMatchObject({ status: 400, param: 'stream_options' })
  })

  test('401 AuthenticationError', async () => {
    const error = await sameError((client) => client.withOptions({ apiKey: 'sk-invalid' }).models.list())
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError)
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key' })
  })

  test('403 PermissionDeniedError', async () => {
    expect(await sameError((client) => ask(client, 'simulate-403'))).toBeInstanceOf(OpenAI.PermissionDeniedError)
  })

  test('404 NotFoundError', async () => {
    const error = await sameError((client) => ask(client, 'unknown-model'))
    expect(error).toBeInstanceOf(OpenAI.NotFoundError)
    expect(error).toMatchObject({ status: 404, code: 'model_not_found' })
    expect(await sameError((client) => client.files.retrieve('file-none'))).toBeInstanceOf(OpenAI.NotFoundError)
  })

  test('409 ConflictError and 422 UnprocessableEntityError', async () => {
    expect(await sameError((client) => ask(client, 'simulate-409'))).toBeInstanceOf(OpenAI.ConflictError)
    expect(await sameError((client) => ask(client, 'simulate-422'))).toBeInstanceOf(OpenAI.UnprocessableEntityError)
  })

  test('429 RateLimitError, with its retry headers', async () => {
    const error = await sameError((client) => ask(client, 'simulate-429'))
    expect(error).toBeInstanceOf(OpenAI.RateLimitError)
    expect(error instanceof APIError && error.headers?.get('retry-after-ms')).toBe('20')
    const quota = { headers: { 'x-simulate': 'insufficient-quota' } }
    expect(await sameError((client) => ask(client, 'gpt-4o', quota))).toMatchObject({ code: 'insufficient_quota' })
  })

  test('500, 502 and 503 InternalServerError', async () => {
    for (const status of [500, 502, 503]) {
      const error = await sameError((client) => ask(client, `simulate-${status}`))
      expect(error).toBeInstanceOf(OpenAI.InternalServerError)
      expect(error).toMatchObject({ status })
    }
  })

  test('an error event in a stream, after the same chunks', async () => {
    const consume = async (client: OpenAI) => {
      const chunks: unknown[] = []
      const error = await errorOf(
        (async () => {
          const body = { model: 'simulate-error-midstream', messages, stream: true as const }
          for await (const chunk of await client.chat.completions.create(body)) chunks.push(chunk)
        })(),
      )
      return { chunks, error: lookAt(error) }
    }
    const result = await consume(through)
    expect(result).toEqual(await consume(direct))
    expect(result.chunks.length).toBeGreaterThan(3)
  })

  test('a stream that broke off, as an error after the same chunks, never as an end', async () => {
    const count = async (client: OpenAI) => {
      let chunks = 0
      const body = { model: 'simulate-reset-midstream', messages, stream: true as const }
      const stream = await client.chat.completions.create(body)
      const error = await errorOf(
        (async () => {
          for await (const _chunk of stream) chunks += 1
        })(),
      )
      return { chunks, error }
    }
    const expected = await count(direct)
    const result = await count(through)
    expect(result.chunks).toBe(expected.chunks)
    expect(result.error).toBeInstanceOf(Error)
  })

  test('a timeout of its own, as APIConnectionTimeoutError, and the call upstream is given up', async () => {
    const error = await errorOf(ask(through, 'simulate-hang', { timeout: 150 }))
    expect(error).toBeInstanceOf(OpenAI.APIConnectionTimeoutError)
    expect(await gateway.line(({ model }) => model === 'simulate-hang')).toMatchObject({
      outcome: 'cancelled',
      status: 499,
    })
  })

  test('a cut connection, as the gateway’s 502', async () => {
    expect(await errorOf(ask(through, 'simulate-reset'))).toMatchObject({
      status: 502,
      code: 'upstream_unreachable',
      type: 'server_error',
    })
  })
})

describe('the official Node SDK learns from the gateway itself', () => {
  test('that the upstream is down, as InternalServerError 502', async () => {
    const gone = await startScriptedUpstream(() => undefined)
    await gone.close()
    const gateway = await startGateway({ env: { OPENAI_API_BASE: `${gone.url}/v1` } })
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-any', maxRetries: 0 })
    const error = await errorOf(ask(client, 'gpt-4o'))
    await gateway.stop()
    expect(error).toBeInstanceOf(OpenAI.InternalServerError)
    expect(error).toMatchObject({ status: 502, code: 'upstream_unreachable' })
  })

  test('that the upstream is too slow, as InternalServerError 504', async () => {
    const gateway = await startGateway({ upstreams: { openai: 'simulated' }, env: { FIRST_BYTE_TIMEOUT_MS: '100' } })
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-any', maxRetries: 0 })
    const error = await errorOf(ask(client, 'simulate-hang'))
    await gateway.stop()
    expect(error).toBeInstanceOf(OpenAI.InternalServerError)
    expect(error).toMatchObject({ status: 504, code: 'upstream_timeout' })
  })

  test('that it is not there, as APIConnectionError', async () => {
    const gateway = await startGateway()
    await gateway.stop()
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-any', maxRetries: 0 })
    expect(await errorOf(client.models.list())).toBeInstanceOf(OpenAI.APIConnectionError)
  })

  test('which parameter is missing or wrong, as BadRequestError', async () => {
    const gateway = await startGateway({ upstreams: { openai: 'simulated' } })
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-any', maxRetries: 0 })
    const error = await errorOf(client.chat.completions.create({ model: 'gpt-4o', messages: [] }))
    await gateway.stop()
    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error).toMatchObject({ status: 400, param: 'messages', code: 'empty_array' })
  })
})

describe('the retries of the official Node SDK', () => {
  let flaky: FlakyUpstream
  let gateway: TestGateway
  const quickly = { 'retry-after-ms': '1' }
  const twice = (status: number, headers: Record<string, string>) => [
    { status, headers },
    { status, headers },
  ]

  beforeAll(async () => {
    flaky = await startFlakyUpstream({
      'rate-limited': twice(429, quickly),
      broken: twice(500, quickly),
      overloaded: [...twice(503, quickly), { status: 503, headers: quickly }],
      'bad-request': twice(400, quickly),
      'no-retry': twice(500, { ...quickly, 'x-should-retry': 'false' }),
      'please-retry': twice(400, { ...quickly, 'x-should-retry': 'true' }),
      patient: [{ status: 429, headers: { 'retry-after-ms': '700' } }],
    })
    gateway = await startGateway({ env: { OPENAI_API_BASE: flaky.baseUrl } })
  })
  afterAll(async () => {
    await gateway.stop()
    await flaky.close()
  })

  const clientFor = (apiKey: string) => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey })

  test.each(['rate-limited', 'broken', 'please-retry'])(
    'are its own alone: each is one call upstream, and the third is served (%s)',
    async (key) => {
      expect((await ask(clientFor(key), 'gpt-4o')).choices[0]?.message.content).toBe('At last.')
      expect(flaky.attempts(key)).toEqual(['0', '1', '2'])
    },
  )

  test('end after two, with the last error', async () => {
    const error = await errorOf(ask(clientFor('overloaded'), 'gpt-4o'))
    expect(error).toBeInstanceOf(OpenAI.InternalServerError)
    expect(error).toMatchObject({ status: 503, code: 'flaky', requestID: 'req_3' })
    expect(flaky.attempts('overloaded')).toEqual(['0', '1', '2'])
  })

  test.each(['bad-request', 'no-retry'])('do not happen where upstream forbids them (%s)', async (key) => {
    expect(await errorOf(ask(clientFor(key), 'gpt-4o'))).toMatchObject({ code: 'flaky', requestID: 'req_1' })
    expect(flaky.attempts(key)).toEqual(['0'])
  })

  test('wait as long as upstream’s retry-after-ms says', async () => {
    const began = performance.now()
    await ask(clientFor('patient'), 'gpt-4o')
    // Its own wait would be 500 ms at most.
    expect(performance.now() - began).toBeGreaterThanOrEqual(695)
  })
})

describe('the official Node SDK leaves a stream', () => {
  test.each(['abort', 'break'] as const)(
    'by %s: the upstream connection closes, and the log says cancelled',
    async (way) => {
      const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [] }
      const upstream = await startScriptedUpstream((_request, connection) => {
        connection.startChunked(200, { 'content-type': 'text/event-stream' })
        connection.chunk(`data: ${JSON.stringify(chunk)}\n\n`)
        return connection.closed.then(() => left.resolve())
      })
      const left = Promise.withResolvers<void>()
      const gateway = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1` } })
      const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-any', maxRetries: 0 })
      const stream = await client.chat.completions.create({ model: 'gpt-4o', messages, stream: true })
      for await (const _chunk of stream) {
        if (way === 'break') break
        stream.controller.abort()
      }
      await left.promise
      expect(await gateway.exchange(1)).toMatchObject({ outcome: 'cancelled', status: 499 })
      await gateway.stop()
      await upstream.close()
    },
  )
})
