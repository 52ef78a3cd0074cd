import { expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { extensionFiles } from '../helpers/extension-files.ts'
import { beginStream, endOf, LONG_PROMPT, OF_PROMPT, OF_WORDS } from '../helpers/long-prompt.ts'
import { answerUsed, type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import { openRawClient } from '../helpers/raw-client.ts'
import type { Script, UpstreamConnection } from '../helpers/scripted-upstream.ts'
import type { GatewayOptions } from '../helpers/start-gateway.ts'
import { untilPlaces } from '../helpers/until-places.ts'
import { byHand, fail, SSE } from '../helpers/upstream-scripts.ts'

const { write } = extensionFiles()
/** What the answer of 1,000 and 100 tokens costs, in nano-dollars. */
const OF_ANSWER = 3_500_000
/** The most that a model can have written in the time that a test takes. */
const OF_TEST = 30 * 20 * 10_000

/** A call that ends in some way. */
interface End {
  readonly what: string
  readonly script: Script
  /** What is booked, at the least; a tenth more at the most. undefined: no row. */
  readonly cost: number | undefined
  readonly options?: GatewayOptions<'openai'>
  /** Makes the call, to its end; without it, it is asked and read, and its failure is nothing. */
  readonly call?: (gateway: MeteredGateway, key: string) => Promise<unknown>
  readonly body?: object
}

const STREAM = { stream: true }

/** Begins a stream, and does something to it. */
function streamThen(then: (connection: UpstreamConnection) => void): Script {
  return async (request, connection) => {
    await beginStream(request, connection)
    then(connection)
  }
}

/** Answers with a head and some bytes of a body. */
function answerOf(headers: Readonly<Record<string, string>>, body: string | Uint8Array, status = 200): Script {
  return async (request, connection) => {
    await request.body
    connection.respond(status, headers, body)
  }
}

/** Ends a stream behind these events. */
function end(events: string): (connection: UpstreamConnection) => void {
  return (connection) => {
    if (events !== '') connection.chunk(events)
    connection.endChunks()
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }

/** Asks, and leaves when the upstream, or the answer, has come so far. */
function leave(when: (gateway: MeteredGateway, asking: Promise<Response>) => Promise<unknown>, body: object = {}) {
  return async (gateway: MeteredGateway, key: string): Promise<void> => {
    const leaving = new AbortController()
    const asking = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', max_tokens: 10_000, ...LONG_PROMPT, ...body }),
      signal: leaving.signal,
    })
    asking.catch(() => undefined)
    await when(gateway, asking)
    leaving.abort()
    await asking.catch(() => undefined)
  }
}

const CACHE = { file: { cache: { store: 'memory', scope: 'shared' } } }
const words = async (_: MeteredGateway, asking: Promise<Response>): Promise<unknown> =>
  (await asking).body?.getReader().read()

const ENDS: readonly End[] = [
  { what: 'a good answer', script: answerUsed(1000, 100), cost: OF_ANSWER },
  {
    what: 'a good stream',
    body: STREAM,
    script: streamThen(end(endOf(1000, 100))),
    cost: OF_ANSWER,
  },
  {
    what: 'a stream without its end',
    body: STREAM,
    script: streamThen(end('')),
    cost: OF_PROMPT + OF_WORDS,
  },
  {
    what: 'a stream that is reset behind its first words',
    body: STREAM,
    script: beginStream,
    call: async (gateway, key) => {
      const answer = await gateway.ask(key, { ...LONG_PROMPT, ...STREAM })
      const reader = answer.body?.getReader()
      await reader?.read()
      const { connection } = await gateway.upstreams.openai.arrival()
      connection.reset()
      await reader?.read()
    },
    cost: OF_PROMPT + OF_WORDS,
  },
  {
    what: 'an error behind a good status',
    script: answerOf(JSON_TYPE, '{"error":{"message":"overloaded","type":"server_error","code":503}}'),
    cost: 0,
  },
  {
    what: 'a stream that reports an error in its midst',
    body: STREAM,
    script: streamThen(end('data: {"error":{"message":"overloaded","type":"server_error"}}\n\n')),
    cost: OF_PROMPT + OF_WORDS,
  },
  {
    what: 'a stream that falls silent',
    body: STREAM,
    options: { file: { timeouts: { stream_idle: '400ms' } } },
    script: beginStream,
    cost: OF_PROMPT + OF_WORDS,
  },
  {
    what: 'a stream that lasts too long',
    body: STREAM,
    options: { file: { timeouts: { total: '1s' } } },
    script: beginStream,
    cost: OF_PROMPT + OF_WORDS,
  },
  {
    what: 'a stream that its caller leaves',
    script: beginStream,
    call: leave(words, STREAM),
    cost: OF_PROMPT + OF_WORDS,
  },
  {
    what: 'a stream that its caller leaves while it is kept',
    options: CACHE,
    script: beginStream,
    call: leave(words, { ...STREAM, temperature: 0 }),
    cost: OF_PROMPT + OF_WORDS,
  },
  {
    what: 'a call that its caller leaves while an answer for all is waited for',
    options: CACHE,
    script: byHand,
    call: leave((gateway) => gateway.upstreams.openai.request(1).then(({ body }) => body), { temperature: 0 }),
    cost: OF_PROMPT,
  },
  {
    what: 'a call that its caller leaves while it waits to ask again',
    options: {
      file: { retry: { attempts: 2, base: '1ms', retry_after_max: '60s' } },
      settings: { openai: { concurrency: { max: 2, queue: 2 } } },
    },
    script: fail(503, { 'retry-after': '30' }),
    call: leave(async (gateway) => {
      await gateway.upstreams.openai.request(1)
      await untilPlaces(gateway, 0, 0)
    }),
    cost: 0,
  },
  {
    what: 'a stream that begins with an error',
    body: STREAM,
    script: answerOf(SSE, 'data: {"error":{"message":"no","code":500}}\n\n'),
    cost: 0,
  },
  { what: 'a page where JSON belongs', script: answerOf({ 'content-type': 'text/html' }, '<p>Sign in</p>'), cost: 0 },
  { what: 'an answer that is no JSON', script: answerOf(JSON_TYPE, 'x'.repeat(400)), cost: OF_PROMPT },
  {
    what: 'an encoded answer that is cut',
    script: answerOf({ ...JSON_TYPE, 'content-encoding': 'gzip' }, gzipSync('{"choices":[]}').subarray(0, 12)),
    cost: OF_PROMPT,
  },
  {
    what: 'an encoded answer that is none',
    script: answerOf({ ...JSON_TYPE, 'content-encoding': 'gzip' }, 'not gzip'),
    cost: OF_PROMPT,
  },
  { what: 'a refusal by the server’s key', script: fail(401), cost: 0 },
  {
    what: 'an extension that throws behind the answer',
    options: { file: { extensions: [write('behind', 'await next(request); throw new Error("no")')] } },
    script: answerUsed(1000, 100),
    cost: OF_ANSWER,
  },
  {
    what: 'an extension that throws in the midst of a stream',
    body: STREAM,
    options: {
      file: {
        extensions: [
          write(
            'midst',
            `const response = await next(request)
             return context.stream((async function* () { for await (const event of context.events(response)) { yield event; throw new Error('no') } })(), response)`,
          ),
        ],
      },
    },
    script: beginStream,
    cost: OF_PROMPT + OF_WORDS,
  },
  {
    what: 'an extension that throws behind a stream that it does not read',
    body: STREAM,
    options: { file: { extensions: [write('unread', 'await next(request); throw new Error("no")')] } },
    script: beginStream,
    cost: OF_PROMPT,
  },
  {
    what: 'an extension that answers by itself behind a stream that it does not read',
    body: STREAM,
    options: { file: { extensions: [write('other', 'await next(request); return Response.json({})')] } },
    script: beginStream,
    cost: OF_PROMPT,
  },
  {
    what: 'an upload that its caller does not finish',
    script: byHand,
    call: async (gateway, key) => {
      const client = await openRawClient(gateway.port)
      client.write(
        `POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 90000\r\n\r\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b\r\n`,
      )
      client.leave()
    },
    cost: undefined,
  },
]

for (const { what, script, cost, options, body, call } of ENDS)
  test(`${what}: what is enforced is what is booked, and nothing is held`, async () => {
    await using gateway = await startMetered(script, options)
    const key = await gateway.key({ spend_limit: { day: 1000 } })
    const ask = async (): Promise<unknown> =>
      (await gateway.ask(key, { ...LONG_PROMPT, max_tokens: 10_000, ...body })).text()
    await (call === undefined ? ask() : call(gateway, key)).catch(() => undefined)
    await gateway.line(({ msg, route }) => msg === 'exchange' && /^(?:chat|audio)/.test(String(route)))
    if (cost === undefined) return expect(await gateway.spend(key)).toEqual({ spent: 0n, held: 0n })
    const sum = await gateway.booked(1)
    expect(Number(sum.cost)).toBeGreaterThanOrEqual(cost)
    expect(Number(sum.cost)).toBeLessThanOrEqual(cost === 0 ? 0 : cost * 1.1 + OF_TEST)
    expect(sum.requests).toBe(1)
    expect(await gateway.spend(key)).toEqual({ spent: sum.cost, held: 0n })
  })
