import { expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const start = perTest(startGateway)

const JSON_TYPE = { 'content-type': 'application/json' }
const ANSWER =
  '{ "id":"chatcmpl-1", "created":90071992547409931,"model" : "gpt-4o-2024-08-06" ,"choices":[{"message":{"content":"\\u0068 \\"model\\":\\"x\\"","model":"inner"}}]}'
const NAMED = ANSWER.replace('"gpt-4o-2024-08-06"', '"smart"')

const EVENTS = [
  ': comment {"model":"gpt-4o"}\r\n\r\n',
  'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1","model":"gpt-4o","x": 1.0}}\n\n',
  'data: {"id":"chatcmpl-1","model" : "gpt-4o","choices":[{"delta":{"content":"model é 🙂"}}]}\r\n\r\n',
  'data: {"choices":[{"delta":{"content":"a"}}]}\n\n',
  'data: not json "model":"gpt-4o"\n\n',
  'data: [DONE]\n\n',
]
const STREAM = EVENTS.join('')
const NAMED_STREAM = STREAM.replace('"resp_1","model":"gpt-4o"', '"resp_1","model":"smart"').replace(
  '"model" : "gpt-4o"',
  '"model" : "smart"',
)

function file(more: object, top: object = {}) {
  return { ...top, models: { smart: { targets: [{ upstream: 'only', model: 'gpt-4o' }], ...more } } }
}

const ALIAS = file({ report_model: 'alias' })

/** Answers with this body, framed by its length or in chunks cut where `cuts` says. */
function answering(type: string, body: string, cuts?: readonly number[]): Script {
  return async (request, connection) => {
    await request.body
    if (cuts === undefined) return connection.respond(200, { 'content-type': type }, body)
    connection.startChunked(200, { 'content-type': type })
    const bytes = Buffer.from(body)
    const ends = [...cuts, bytes.byteLength]
    let from = 0
    for (const end of ends) {
      if (end > from) connection.chunk(bytes.subarray(from, end))
      from = Math.max(from, end)
      await new Promise<void>((resolve) => void setImmediate(resolve))
    }
    connection.endChunks()
  }
}

test('report_model: alias puts the caller’s name into a JSON answer, with a length or without, and no other byte changes', async () => {
  for (const settings of [ALIAS, file({}, { report_model: 'alias' })]) {
    for (const cuts of [undefined, [], [40], [57, 58, 60]]) {
      const { chat } = await start({ upstreams: { only: answering('application/json', ANSWER, cuts) }, file: settings })
      for (const path of ['/v1/chat/completions', '/v1/responses']) {
        const response = await chat({ model: 'smart' }, {}, path)
        expect(await response.text()).toBe(NAMED)
        const length = cuts === undefined ? String(Buffer.byteLength(NAMED)) : null
        expect(response.headers.get('content-length')).toBe(length)
      }
    }
  }
})

test('what a wildcard’s name stood for is what the answer reports', async () => {
  const settings = { models: { 'my-*': { targets: [{ upstream: 'only', model: 'gpt-*' }], report_model: 'alias' } } }
  const { chat } = await start({ upstreams: { only: answering('application/json', ANSWER) }, file: settings })
  expect(await (await chat({ model: 'my-4o' })).json()).toMatchObject({ model: 'my-4o' })
})

test('a stream is renamed event by event, wherever it is cut', async () => {
  const { chat, upstreams } = await start({ upstreams: { only: answering('text/event-stream', STREAM) }, file: ALIAS })
  const length = Buffer.byteLength(STREAM)
  const cuttings = [undefined, [], Array.from({ length }, (_, at) => at)]
  for (let at = 1; at < length; at += 7) cuttings.push([at])
  for (const cuts of cuttings) {
    upstreams.only.play(answering('text/event-stream', STREAM, cuts))
    const response = await chat({ model: 'smart', stream: true })
    expect([cuts?.[0], await response.text()]).toEqual([cuts?.[0], NAMED_STREAM])
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.has('content-length')).toBe(false)
  }
}, 15_000)

test('an event goes on as it comes', async () => {
  const seen = Promise.withResolvers<void>()
  const { chat } = await start({
    upstreams: {
      only: async (request, connection) => {
        await request.body
        connection.startChunked(200, { 'content-type': 'text/event-stream' })
        connection.chunk('data: {"model":"gpt-4o"}\n\ndata: {"mo')
        await seen.promise
        connection.chunk('del":"gpt-4o"}\n\n')
        connection.endChunks()
      },
    },
    file: ALIAS,
  })
  const reader = (await chat({ model: 'smart', stream: true })).body?.getReader()
  const first = await reader?.read()
  expect(Buffer.from(first?.value ?? []).toString()).toBe('data: {"model":"smart"}\n\ndata: {"mo')
  seen.resolve()
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('del":"smart"}\n\n')
  expect((await reader?.read())?.done).toBe(true)
})

test('a stream that breaks off ends with the error event, behind what came', async () => {
  const seen = Promise.withResolvers<void>()
  const gateway = await start({
    upstreams: {
      only: async (request, connection) => {
        await request.body
        connection.startChunked(200, { 'content-type': 'text/event-stream' })
        connection.chunk('data: {"model":"gpt-4o"}\n\n')
        await seen.promise
        connection.socket.end()
      },
    },
    file: ALIAS,
  })
  const body = JSON.stringify({ model: 'smart', stream: true, messages: MESSAGES })
  const client = await openRawClient(gateway.port)
  client.write(postText('/v1/chat/completions', body))
  await client.until((bytes) => bytes.includes('"smart"}\n\n'))
  seen.resolve()
  const cut = await client.response()
  expect(cut.isComplete).toBe(false)
  expect(cut.text()).toMatch(/^data: {"model":"smart"}\n\ndata: {"error":{[^\n]*"code":"upstream_unreachable"}}\n\n$/)
})

test('no encoding is asked for where a name has to be put in; what comes in one all the same goes on decoded, with the name', async () => {
  const encoded = gzipSync(ANSWER)
  const gateway = await start({
    upstreams: {
      only: async (request, connection) => {
        await request.body
        connection.respond(200, { ...JSON_TYPE, 'content-encoding': 'gzip' }, encoded)
      },
    },
    file: { models: { ...ALIAS.models, plain: { targets: [{ upstream: 'only' }] } } },
  })
  for (const [model, asked] of [
    ['smart', 'identity'],
    ['plain', 'gzip, br'],
  ] as const) {
    const body = JSON.stringify({ model, messages: MESSAGES })
    const bytes = postText('/v1/chat/completions', body, { 'Accept-Encoding': 'gzip, br' })
    const response = await sendRaw(gateway.port, bytes)
    expect(lastRequest(gateway.upstreams.only).header('accept-encoding')).toBe(asked)
    expect(response.headers.get('content-encoding') ?? null).toBe(model === 'smart' ? null : 'gzip')
    expect(response.isComplete).toBe(true)
    if (model === 'smart') expect(response.text()).toBe(NAMED)
    else expect(response.body.equals(encoded)).toBe(true)
  }
})

test('errors, other kinds of answers and what is no object keep their bytes', async () => {
  const { chat, upstreams } = await start({ upstreams: { only: answering('application/json', ANSWER) }, file: ALIAS })
  for (const [type, body, status] of [
    ['application/json', '[{"model":"gpt-4o"}]', 200],
    ['application/json', '{"model":{"a":1}}', 200],
    ['application/json', '"model":"gpt-4o"', 200],
    ['text/plain', '{"model":"gpt-4o"}', 200],
    ['application/json', '{"model":"gpt-4o","error":{"message":"x"}}', 400],
  ] as const) {
    upstreams.only.play(async (request, connection) => {
      await request.body
      connection.respond(status, { 'content-type': type }, body)
    })
    expect([status, await (await chat({ model: 'smart' }, {}, '/v1/audio/speech')).text()]).toEqual([status, body])
  }
})

test('without report_model the answer is the upstream’s, byte for byte', async () => {
  for (const settings of [file({}), file({ report_model: 'upstream' }, { report_model: 'alias' })]) {
    const { chat, upstreams } = await start({
      upstreams: { only: answering('application/json', ANSWER) },
      file: settings,
    })
    expect(await (await chat({ model: 'smart' })).text()).toBe(ANSWER)
    upstreams.only.play(answering('text/event-stream', STREAM, [30, 90]))
    expect(await (await chat({ model: 'smart', stream: true })).text()).toBe(STREAM)
  }
})
