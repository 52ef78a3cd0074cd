import { describe, expect, test } from 'bun:test'
import { extensionFiles } from '../helpers/extension-files.ts'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, parseResponse, postText } from '../helpers/raw-client.ts'
import { errorOf } from '../helpers/received-answers.ts'
import type { Script, UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)
const { write } = extensionFiles()
const pass = write('pass', 'return next(request)')
/** Reads each event and gives it on as it came. */
const through = write(
  'through',
  `const response = await next(request)
   return context.stream((async function* () { for await (const event of context.events(response)) yield event })(), response)`,
)

const STREAMED = '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'
const TYPE = { 'content-type': 'text/event-stream' }

function event(content: string): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
}

/** A stream of these pieces, which then ends or breaks. */
function streamOf(pieces: readonly string[], end: (connection: UpstreamConnection) => void): Script {
  return async (request, connection) => {
    await request.body
    connection.startChunked(200, TYPE)
    for (const piece of pieces) {
      connection.chunk(piece)
      await Bun.sleep(1)
    }
    end(connection)
  }
}

const whole = (connection: UpstreamConnection): void => connection.endChunks()

describe('a JSON answer', () => {
  test('may be changed; the length is that of the new one, and so is the number of bytes in the log', async () => {
    const path = write(
      'change',
      `const response = await next(request); const answer = await response.json()
       return new Response(JSON.stringify({ ...answer, by: 'me' }), response)`,
    )
    const gateway = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [path] } })
    const answer = await gateway.chat({ model: 'm' })
    const text = await answer.text()
    expect(JSON.parse(text)).toMatchObject({ id: 'chatcmpl-one-0001', by: 'me' })
    expect(await gateway.exchange(1)).toMatchObject({ status: 200, bytes: text.length, attempts: 1, model: 'm' })
  })

  test('of another server may be given as fetch gives it, also where that is compressed', async () => {
    const other = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () => new Response(Bun.gzipSync('{"by":"other"}'), { headers: { 'content-encoding': 'gzip' } }),
    })
    const path = write('elsewhere', `return fetch('${other.url}')`)
    const { chat } = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [path] } })
    expect(await (await chat({ model: 'm' })).json()).toEqual({ by: 'other' })
    await other.stop(true)
  })

  test.each([
    ['tells a length that it has not', "new Response('{}', { headers: { 'content-length': '99' } })", 200, '{}'],
    ['is only a status', 'new Response(null, { status: 204 })', 204, ''],
    ['speaks of the connection', "new Response('a', { headers: { 'transfer-encoding': 'gzip' } })", 200, 'a'],
  ] as const)('of an extension’s own that %s reaches the caller whole', async (_case, made, status, body) => {
    const path = write(`own-${status}-${body.length}`, `return ${made}`)
    const gateway = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [path] } })
    const answer = await gateway.chat({ model: 'm' })
    expect([answer.status, await answer.text()]).toEqual([status, body])
    expect(answer.headers.get('x-request-id')).toBe(String((await gateway.exchange(1))['request_id']))
    expect(await gateway.exchange(1)).toMatchObject({ status, outcome: 'complete', bytes: body.length, attempts: 0 })
  })

  test('that is none is a 500 of our shape', async () => {
    const path = write('none', 'return Response.error()')
    const { chat } = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [path] } })
    expect(await errorOf(await chat({ model: 'm' }))).toMatchObject([500, { code: 'extension_failed' }])
  })
})

describe('a stream', () => {
  test.each([
    ['untouched', [pass, pass.replace('pass.ts', 'pass-2.ts')]],
    ['event by event', [through]],
  ] as const)('%s comes as it is sent, byte for byte: the first event before the second', async (_case, paths) => {
    write('pass-2', 'return next(request)')
    const asked = Promise.withResolvers<UpstreamConnection>()
    const one: Script = async (request, connection) => {
      await request.body
      connection.startChunked(200, TYPE)
      asked.resolve(connection)
    }
    const gateway = await start({ upstreams: { one }, file: { extensions: paths } })
    const client = await openRawClient(gateway.port)
    client.write(postText('/v1/chat/completions', STREAMED))
    const upstream = await asked.promise
    const pieces = [': a comment\r\n\r\ndata: 1\r\n\r\n', 'event: x\nid: 2\ndata: a\ndata: ü€\n\n', 'data: [DONE]\n\n']
    let sent = ''
    for (const piece of pieces) {
      upstream.chunk(piece)
      sent += piece
      await client.until((received) => parseResponse(received)?.body.toString() === sent)
    }
    upstream.endChunks()
    expect((await client.response()).isComplete).toBe(true)
    client.leave()
    const { byteLength } = Buffer.from(sent)
    expect(await gateway.exchange(1)).toMatchObject({
      status: 200,
      stream: true,
      outcome: 'complete',
      bytes: byteLength,
    })
  })

  test('is ended where a phrase comes that spans chunks and events; the upstream is cancelled', async () => {
    const path = write(
      'guard',
      `const response = await next(request)
       return context.stream((async function* () {
         let said = ''
         for await (const event of context.events(response)) {
           said += event.json?.choices?.[0]?.delta?.content ?? ''
           if (said.includes('forbidden')) { yield { data: '[DONE]' }; return }
           yield event
         }
       })(), response)`,
    )
    const closed = Promise.withResolvers<void>()
    const one: Script = async (request, connection) => {
      await request.body
      connection.startChunked(200, TYPE)
      const text = event('for') + event('bid') + event('den')
      for (let at = 0; at < text.length; at += 7) connection.chunk(text.slice(at, at + 7))
      await connection.closed
      closed.resolve()
    }
    const gateway = await start({ upstreams: { one }, file: { extensions: [path] } })
    expect(await (await gateway.chat(STREAMED)).text()).toBe(`${event('for')}${event('bid')}data: [DONE]\n\n`)
    await closed.promise
    expect(await gateway.exchange(1)).toMatchObject({ status: 200, outcome: 'complete', attempts: 1 })
  })

  test('that the upstream breaks off looks broken behind an extension, too, and the upstream is to blame', async () => {
    const lines = []
    for (const extensions of [[], [pass], [through]]) {
      // The runtime drops what it holds of an answer that breaks off: the event has to have arrived.
      const broken = Promise.withResolvers<UpstreamConnection>()
      const one = streamOf([event('a')], broken.resolve)
      const gateway = await start({ upstreams: { one }, file: { extensions } })
      const client = await openRawClient(gateway.port)
      client.write(postText('/v1/chat/completions', STREAMED, { Connection: 'close' }))
      await client.until((received) => received.includes(event('a')))
      ;(await broken.promise).reset()
      await client.closed
      const answer = parseResponse(client.received())
      const { outcome, status, error } = await gateway.exchange(1)
      lines.push([answer?.isComplete, answer?.text(), outcome, status, error])
    }
    expect(lines[0]).toEqual([false, expect.stringContaining('"error"'), 'failed', 200, 'upstream_unreachable'])
    expect(lines[1]).toEqual(lines[0])
    expect(lines[2]).toEqual(lines[0])
  })

  test('whose generator throws ends with an error event, and the extension is to blame', async () => {
    const path = write(
      'thrower',
      `const response = await next(request)
       return context.stream((async function* () {
         for await (const event of context.events(response)) { yield event; throw new Error('no such luck') }
       })(), response)`,
    )
    const one = streamOf([event('a'), event('b')], whole)
    const gateway = await start({ upstreams: { one }, file: { extensions: [path] } })
    const client = await openRawClient(gateway.port)
    client.write(postText('/v1/chat/completions', STREAMED, { Connection: 'close' }))
    await client.closed
    const answer = parseResponse(client.received())
    expect(answer?.isComplete).toBe(false)
    expect(answer?.text()).toStartWith(event('a'))
    expect(answer?.text()).toContain('"extension_failed"')
    expect(await gateway.exchange(1)).toMatchObject({ outcome: 'failed', error: 'extension_failed' })
    const said = await gateway.line(({ msg }) => String(msg).startsWith('extension failed'))
    expect(said).toMatchObject({ extension: 'thrower', file: path, level: 50 })
  })
})

describe('an extension that fails', () => {
  test('behind next is skipped with what next has given; the upstream is asked once', async () => {
    const path = write('late', "const response = await next(request); throw new Error('no such luck')")
    const gateway = await start({
      upstreams: { one: answerAs('one') },
      file: { extensions: [{ path, on_error: 'skip' }] },
    })
    expect(await (await gateway.chat({ model: 'm' })).json()).toMatchObject({ by: 'one' })
    expect(gateway.upstreams.one.requests).toHaveLength(1)
    const said = await gateway.line(({ extension }) => extension === 'late')
    expect(said).toMatchObject({ level: 50, file: path, on_error: 'skip', err: { message: 'no such luck' } })
    expect(said['request_id']).toBe((await gateway.exchange(1))['request_id'])
  })

  test.each(['fail', 'skip'] as const)('to answer in time, with on_error: %s', async (onError) => {
    const path = write('slow', 'return new Promise(() => {})')
    const gateway = await start({
      upstreams: { one: answerAs('one') },
      file: { extensions: [{ path, on_error: onError, timeout: '50ms' }] },
    })
    const answer = await gateway.chat({ model: 'm' })
    if (onError === 'skip') expect(await answer.json()).toMatchObject({ by: 'one' })
    else expect(await errorOf(answer)).toMatchObject([500, { code: 'extension_failed', type: expect.any(String) }])
    const said = await gateway.line(({ msg }) => String(msg).startsWith('extension timed out'))
    expect(said).toMatchObject({ extension: 'slow', level: 50 })
  })

  test('is not one that waits long for the upstream', async () => {
    const one: Script = async (request, connection) => {
      await request.body
      await Bun.sleep(1200)
      connection.json({ by: 'one' })
    }
    const { chat } = await start({ upstreams: { one }, file: { extensions: [{ path: pass, timeout: '800ms' }] } })
    expect((await chat({ model: 'm' })).status).toBe(200)
  })
})
