import { describe, expect, test } from 'bun:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import type { Script, UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const start = perTest(startGateway)

const MIB = 1024 * 1024
const SMART = { targets: [{ upstream: 'only', model: 'secret-model' }] }
const ALIAS = { report_model: 'alias', models: { smart: SMART } }
const body = JSON.stringify({ model: 'smart', messages: [{ role: 'user', content: 'x' }] })

const response = (id: string, more: object = {}) => ({
  id,
  object: 'response',
  model: 'secret-model',
  ...more,
})
const event = (type: string, value: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, response: value })}\n\n`

describe('JSON that is kept alive', () => {
  test('passes at once, as it comes, with the alias and without', async () => {
    for (const file of [{ ...ALIAS }, { models: { smart: SMART } }]) {
      const connected = Promise.withResolvers<UpstreamConnection>()
      const gateway = await start({
        upstreams: {
          only: async (request, connection) => {
            await request.body
            connection.startChunked(200, { 'content-type': 'application/json' })
            connection.chunk('\n')
            connected.resolve(connection)
          },
        },
        file,
      })
      const client = await openRawClient(gateway.port)
      client.write(postText('/v1/chat/completions', body))
      const head = '\r\n\r\n1\r\n\n\r\n'
      await client.until((bytes) => bytes.includes(head))
      const { chunk, endChunks } = await connected.promise
      chunk('\n\n  ')
      await client.until((bytes) => bytes.includes('\n\n  '))
      chunk(' {"choices":[],"mod')
      await client.until((bytes) => bytes.includes('{"choices":[],"mod'))
      chunk('el": "sec')
      chunk('ret-model", "x":1}')
      endChunks()
      const name = 'report_model' in file ? 'smart' : 'secret-model'
      const whole = await client.response()
      expect([whole.isComplete, whole.text()]).toEqual([true, `\n\n\n   {"choices":[],"model": "${name}", "x":1}`])
      client.leave()
    }
  })

  test('that breaks off is broken, and never a whole answer', async () => {
    const gateway = await start({
      upstreams: {
        only: async (request, connection) => {
          await request.body
          connection.startChunked(200, { 'content-type': 'application/json' })
          connection.chunk('\n{"model":"sec')
          connection.socket.end()
        },
      },
      file: ALIAS,
    })
    const cut = await sendRaw(gateway.port, postText('/v1/chat/completions', body))
    expect([cut.isComplete, cut.text().includes('smart')]).toEqual([false, false])
  })

  test('ends upstream when its reader leaves', async () => {
    const closed = Promise.withResolvers<void>()
    const gateway = await start({
      upstreams: {
        only: async (request, connection) => {
          await request.body
          connection.startChunked(200, { 'content-type': 'application/json' })
          connection.chunk('\n')
          await connection.closed
          closed.resolve()
        },
      },
      file: ALIAS,
    })
    const client = await openRawClient(gateway.port)
    client.write(postText('/v1/chat/completions', body))
    await client.until((bytes) => bytes.includes('\r\n\r\n'))
    client.leave()
    await closed.promise
  })
})

describe('an answer of any size', () => {
  const output = [{ type: 'image_generation_call', result: 'A'.repeat(1.5 * MIB) }]
  const large = response('resp_1', { output })

  test('has the alias in each event, also in one of more than 1 MiB', async () => {
    const stream = event('response.created', response('resp_1')) + event('response.completed', large)
    const { chat } = await start({
      upstreams: {
        only: async (request, connection) => {
          await request.body
          connection.startChunked(200, { 'content-type': 'text/event-stream' })
          for (let at = 0; at < stream.length; at += 65_536) connection.chunk(stream.slice(at, at + 65_536))
          connection.endChunks()
        },
      },
      file: ALIAS,
    })
    const text = await (await chat({ model: 'smart', stream: true }, {}, '/v1/responses')).text()
    expect(text === stream.replaceAll('"secret-model"', '"smart"')).toBe(true)
  })

  test.each([
    ['a length', {}],
    ['gzip', { 'content-encoding': 'gzip' }],
    ['br', { 'content-encoding': 'br' }],
    ['two codings', { 'content-encoding': 'gzip, br' }],
    ['none that it tells', { 'content-encoding': 'identity' }],
  ])('has it in JSON, with %s', async (_name, headers) => {
    const plain = Buffer.from(JSON.stringify({ output, x: 1, model: 'secret-model' }))
    const coding = (headers as Readonly<Record<string, string>>)['content-encoding']
    const zipped = coding?.startsWith('gzip') === true ? gzipSync(plain) : plain
    const sent = coding?.endsWith('br') === true ? brotliCompressSync(zipped) : zipped
    const { chat } = await start({
      upstreams: {
        only: async (request, connection) => {
          await request.body
          connection.respond(200, { 'content-type': 'application/json', ...headers }, sent)
        },
      },
      file: ALIAS,
    })
    const answer = await chat({ model: 'smart' })
    const text = await answer.text()
    expect(answer.headers.get('content-encoding')).toBeNull()
    expect(text === plain.toString().replace('"secret-model"', '"smart"')).toBe(true)
  })

  test('has it in a stream that comes in gzip, and one in a coding that nobody knows goes on as it came', async () => {
    const stream = event('response.created', response('resp_1')) + event('response.completed', response('resp_1'))
    const { chat, upstreams } = await start({ upstreams: { only: () => undefined }, file: ALIAS })
    for (const [coding, sent, expected] of [
      ['gzip', gzipSync(stream), stream.replaceAll('"secret-model"', '"smart"')],
      ['x-unknown', Buffer.from(stream), stream],
    ] as const) {
      upstreams.only.play(async (request, connection) => {
        await request.body
        connection.startChunked(200, { 'content-type': 'text/event-stream', 'content-encoding': coding })
        connection.chunk(sent.subarray(0, 20))
        connection.chunk(sent.subarray(20))
        connection.endChunks()
      })
      const answer = await chat({ model: 'smart', stream: true }, {}, '/v1/responses')
      expect(await answer.text()).toBe(expected)
    }
  })
})

/** Answers as a server that keeps what it makes: by id, in a list, as a stream. */
const keeps: Script = async (request, connection) => {
  await request.body
  const [path = '', query = ''] = request.target.split('?')
  const [, , resource, ...rest] = path.split('/')
  const id = resource === 'chat' ? 'chatcmpl-12345678' : 'resp_12345678'
  const made = response(id, { metadata: { model: 'secret-model' } })
  if (path.endsWith('/content')) return connection.json({ model: 'secret-model' })
  if (query.includes('stream=true')) {
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    connection.chunk(event('response.completed', made))
    return connection.endChunks()
  }
  const isList = request.method === 'GET' && rest.filter((one) => one !== 'completions').length === 0
  connection.json(isList ? { object: 'list', data: [made, { ...made, model: 'secret-model-2026-01-31' }] } : made)
}

const ASKED = [
  ['GET', '/v1/responses/resp_12345678', 'json'],
  ['GET', '/responses/resp_12345678?include[]=x', 'json'],
  ['GET', '/v1/responses/resp_12345678?stream=true', 'event'],
  ['POST', '/v1/responses/resp_12345678/cancel', 'json'],
  ['GET', '/v1/chat/completions/chatcmpl-12345678', 'json'],
  ['POST', '/v1/chat/completions/chatcmpl-12345678', 'json'],
  ['GET', '/v1/chat/completions?limit=2', 'list'],
] as const

async function namesOf(url: string, method: string, path: string): Promise<readonly unknown[]> {
  const answer = await fetch(`${url}${path}`, {
    method,
    ...(method === 'POST' && { body: '{"metadata":{}}', headers: { 'content-type': 'application/json' } }),
  })
  const text = (await answer.text()).replace(/^event: .*\ndata: /, '')
  const value = JSON.parse(text) as { model?: string; response?: { model?: string }; data?: { model?: string }[] }
  expect(text).toContain('"metadata":{"model":"secret-model"}')
  return value.data?.map(({ model }) => model) ?? [value.model ?? value.response?.model]
}

describe('what was made before', () => {
  test('is told of under the alias that it was made under, however it is asked for', async () => {
    const gateway = await start({
      upstreams: { only: keeps },
      file: { ...ALIAS, models: { smart: SMART, other: SMART } },
    })
    await (await gateway.chat({ model: 'other', input: 'x' }, {}, '/v1/responses')).text()
    await (await gateway.chat({ model: 'other', store: true })).text()
    for (const [method, path, kind] of ASKED) {
      const names = await namesOf(gateway.url, method, path)
      // Of a list nobody knows which of two names it was.
      expect([path, names]).toEqual([path, kind === 'list' ? ['secret-model', 'secret-model-2026-01-31'] : ['other']])
    }
  })

  test('is told of under the only alias that leads to its model where nobody remembers it, as behind a restart', async () => {
    const gateway = await start({ upstreams: { only: keeps }, file: ALIAS })
    for (const [method, path, kind] of ASKED) {
      const names = await namesOf(gateway.url, method, path)
      expect([path, names]).toEqual([path, kind === 'list' ? ['smart', 'smart'] : ['smart']])
    }
  })

  test('keeps the upstream’s name where its answers are to give that, and so do the contents of a file', async () => {
    const gateway = await start({
      upstreams: { only: keeps },
      file: { models: { smart: SMART, seen: { targets: [{ upstream: 'only', model: 'x' }], report_model: 'alias' } } },
    })
    expect(await namesOf(gateway.url, 'GET', '/v1/responses/resp_12345678')).toEqual(['secret-model'])
    const aliased = await start({ upstreams: { only: keeps }, file: ALIAS })
    const content = await fetch(`${aliased.url}/v1/files/file-12345678/content`)
    expect(await content.json()).toEqual({ model: 'secret-model' })
  })
})
