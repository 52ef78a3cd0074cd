import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { beginStream } from '../helpers/cache-calls.ts'
import { perTest } from '../helpers/per-test.ts'
import { errorOf } from '../helpers/received-answers.ts'
import type { Script, UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const KEY = { 'idempotency-key': 'once' } as const
const ASKED = { model: 'm', messages: MESSAGES } as const
const INPUT = { model: 'm', input: 'x' } as const
const RESPONSE = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', output: [] } as const

function always(body: object): Script {
  return async (request, connection) => {
    await request.body
    connection.json(body)
  }
}

/** A stream that has come to its proper end. */
function streamed(events: readonly string[]): Script {
  return async (request, connection) => {
    await request.body
    beginStream(connection)
    for (const event of events) connection.chunk(event)
    connection.endChunks()
  }
}

/** A stream that breaks off behind its events, when the test has read those. */
function breaking(events: readonly string[]): { readonly script: Script; readonly cut: () => void } {
  const open: UpstreamConnection[] = []
  return {
    async script(request, connection) {
      await request.body
      beginStream(connection)
      for (const event of events) connection.chunk(event)
      open.push(connection)
    },
    cut() {
      for (const connection of open.splice(0)) connection.socket.end()
    },
  }
}

/** Reads a stream until it holds so much, has it cut, and gives all that came. */
async function readAndCut(answer: Response, length: number, cut: () => void): Promise<string> {
  let text = ''
  try {
    for await (const bytes of answer.body ?? []) {
      text += Buffer.from(bytes as Uint8Array).toString()
      if (text.length >= length) cut()
    }
  } catch {
    // It has been cut.
  }
  return text
}

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`
const CHOICES = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
} as const

/** What servers write that always have an `error`, while nothing has failed. */
const BLANK = [{}, [], '', 0, false, { message: null, code: null }, { message: '', type: '', code: 0 }]

describe('an answer that has an error without anything in it is one that was paid for', () => {
  test.each([
    ['/v1/chat/completions', { ...CHOICES, object: 'chat.completion' }],
    ['/v1/completions', { choices: [{ text: 'hi', finish_reason: 'stop' }] }],
    ['/v1/responses', { ...RESPONSE, status: 'completed', output: [{ type: 'message' }] }],
    ['/v1/messages', { type: 'message', content: [{ type: 'text', text: 'hi' }] }],
    ['/v1/images/generations', { created: 1, data: [{ url: 'https://images.test/1' }] }],
    ['/v1/audio/transcriptions', { text: 'hi' }],
    ['/v1/embeddings', { object: 'list', data: [{ embedding: [0, 1] }] }],
    ['/v1/moderations', { results: [{ flagged: false }] }],
    ['/v1/videos', { id: 'video_1', object: 'video', status: 'queued' }],
    ['/v1/batches', { id: 'batch_1', object: 'batch', status: 'validating' }],
  ])('of %s', async (path, answer) => {
    let turn = 0
    const script: Script = async (request, connection) => {
      await request.body
      connection.json({ error: BLANK[turn % BLANK.length], ...answer })
      turn += 1
    }
    const { chat, upstreams } = await start({ upstreams: { one: script }, file: {} })
    for (const number of BLANK.keys()) {
      const key = { 'idempotency-key': `key-${number}` }
      const first = await (await chat(ASKED, key, path)).text()
      expect(await (await chat(ASKED, key, path)).text()).toBe(first)
    }
    expect(upstreams.one.requests).toHaveLength(BLANK.length)
  })

  test('of a stream, too', async () => {
    const events = [
      data({ choices: [{ index: 0, delta: { content: 'hi' }, error: {} }], error: {} }),
      data({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], error: [] }),
      'data: [DONE]\n\n',
    ]
    const { chat, upstreams } = await start({ upstreams: { one: streamed(events) }, file: {} })
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await (await chat({ ...ASKED, stream: true }, KEY)).text()).toBe(events.join(''))
    }
    expect(upstreams.one.requests).toHaveLength(1)
  })

  test('and one that tells an error, or has nothing beside it, may be asked for again', async () => {
    for (const failed of [{ ...CHOICES, error: { message: 'gone' } }, { error: {} }, { error: {}, choices: [] }]) {
      const { chat, upstreams } = await start({ upstreams: { one: always(failed) }, file: {} })
      for (let turn = 0; turn < 2; turn += 1) await (await chat(ASKED, KEY)).text()
      expect(upstreams.one.requests).toHaveLength(2)
    }
  })
})

describe('what its upstream goes on with by itself is not made a second time', () => {
  const created = (response: object): string =>
    `event: response.created\n${data({ type: 'response.created', response: { ...RESPONSE, status: 'in_progress', ...response } })}`

  test.each<[string, readonly string[]]>([
    ['says background', [created({ background: true })]],
    ['says that it is queued', [created({ status: 'queued' })]],
    ['has an event of its queue', ['event: response.queued\ndata: {"type":"response.queued"}\n\n']],
    ['says background behind other events', [created({}), created({ background: true }), data({ type: 'x' })]],
    [
      'says background before an answer that is too large to keep',
      [created({ background: true }), data({ x: 'x'.repeat(200_000) })],
    ],
  ])('where a stream that nobody asked to be made in the background %s, and is cut', async (_what, events) => {
    const { script, cut } = breaking(events)
    const { chat, upstreams } = await start({
      upstreams: { one: script },
      file: { cache: { store: 'memory', max_answer_bytes: 100_000 } },
    })
    for (const asked of [
      { ...INPUT, stream: true },
      { ...INPUT, stream: true, store: false },
    ]) {
      const key = { 'idempotency-key': JSON.stringify(asked) }
      const answer = await chat(asked, key, '/v1/responses')
      expect(await readAndCut(answer, events.join('').length, cut)).toBe(events.join(''))
      const [status, error] = await errorOf(await chat(asked, key, '/v1/responses'))
      expect([status, error]).toMatchObject([409, { code: 'idempotency_outcome_unknown' }])
    }
    expect(upstreams.one.requests).toHaveLength(2)
  })

  test('where an encoded one is cut, of which nobody can tell', async () => {
    const zipped = gzipSync(created({ background: true })).toString('latin1')
    const script: Script = async (request, connection) => {
      await request.body
      connection.startChunked(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
      connection.chunk(Buffer.from(zipped, 'latin1').subarray(0, 30))
      connection.reset()
    }
    const { chat, upstreams } = await start({ upstreams: { one: script }, file: {} })
    const headers = { ...KEY, 'accept-encoding': 'gzip' }
    await (await chat({ ...INPUT, stream: true }, headers, '/v1/responses')).text().catch(() => undefined)
    const [status] = await errorOf(await chat({ ...INPUT, stream: true }, headers, '/v1/responses'))
    expect(status).toBe(409)
    expect(upstreams.one.requests).toHaveLength(1)
  })

  test.each(['{"id":"resp_1","background":true,"output":[', '{"id":"resp_1","status" : "queued","x":"'])(
    'where a JSON answer says so, and is cut: %s',
    async (text) => {
      const script: Script = async (request, connection) => {
        await request.body
        connection.startChunked(200, { 'content-type': 'application/json' })
        connection.chunk(text)
        connection.endChunks()
      }
      const { chat, upstreams } = await start({ upstreams: { one: script }, file: {} })
      await (await chat(INPUT, KEY, '/v1/responses')).text().catch(() => undefined)
      const [status] = await errorOf(await chat(INPUT, KEY, '/v1/responses'))
      expect(status).toBe(409)
      expect(upstreams.one.requests).toHaveLength(1)
    },
  )

  test.each(['queued', 'in_progress', 'incomplete'])(
    'where a response that nobody asked to be made in the background is %s',
    async (status) => {
      const { chat, upstreams } = await start({
        upstreams: { one: always({ ...RESPONSE, status, error: null }) },
        file: {},
      })
      for (let turn = 0; turn < 2; turn += 1) {
        expect(await (await chat(INPUT, KEY, '/v1/responses')).json()).toMatchObject({ status })
      }
      expect(upstreams.one.requests).toHaveLength(1)
    },
  )

  test.each(['videos', 'batches', 'fine_tuning/jobs', 'threads/thread_1/runs', 'evals/eval_1/runs'])(
    'where the answer to a POST of %s never comes, or is cut',
    async (path) => {
      const cut: Script = async (request, connection) => {
        await request.body
        connection.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"id":"x"')
        connection.socket.end()
      }
      const none: Script = async (request, connection) => {
        await request.body
        connection.reset()
      }
      for (const script of [cut, none]) {
        const { chat, upstreams } = await start({ upstreams: { one: script }, file: {} })
        await (await chat(INPUT, KEY, `/v1/${path}`)).text()
        const [status, error] = await errorOf(await chat(INPUT, KEY, `/v1/${path}`))
        expect([status, error]).toMatchObject([409, { code: 'idempotency_outcome_unknown' }])
        expect(upstreams.one.requests).toHaveLength(1)
      }
    },
  )

  test('and where a text that speaks of it is cut, the key is free: nothing goes on', async () => {
    const spoken = data({ type: 'response.output_text.delta', delta: '{"background": true, "status": "queued"}' })
    const events = [created({ background: false }), spoken]
    const { script, cut } = breaking(events)
    const { chat, upstreams } = await start({ upstreams: { one: script }, file: {} })
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await chat({ ...INPUT, stream: true }, KEY, '/v1/responses')
      expect(await readAndCut(answer, events.join('').length, cut)).toBe(events.join(''))
    }
    expect(upstreams.one.requests).toHaveLength(2)
  })

  test('where a rule has it made in the background, and no answer comes', async () => {
    const script: Script = async (request, connection) => {
      await request.body
      connection.reset()
    }
    const { chat, upstreams } = await start({
      upstreams: { one: script },
      file: { params: [{ overrides: { background: true } }] },
    })
    await (await chat(INPUT, KEY, '/v1/responses')).text()
    const [status] = await errorOf(await chat(INPUT, KEY, '/v1/responses'))
    expect(status).toBe(409)
    expect(upstreams.one.requests).toHaveLength(1)
  })
})
