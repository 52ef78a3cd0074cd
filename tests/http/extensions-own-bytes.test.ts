import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { beginStream, DONE, event } from '../helpers/cache-calls.ts'
import { extensionFiles } from '../helpers/extension-files.ts'
import { perTest } from '../helpers/per-test.ts'
import { haveBegun, openRawClient, postText } from '../helpers/raw-client.ts'
import type { Script, UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const { write } = extensionFiles()
const CACHE = { store: 'memory', requests: 'all', scope: 'shared' } as const
const WHOLE = event('secret') + event('more') + DONE
const SPOILT = WHOLE.replaceAll(/[a-z]/g, '#')
const STREAMED = { model: 'm', stream: true } as const

/** Writes over all small letters of what it reads, for callers that want it. */
function spoiling(name: string, read: string): string {
  return write(
    name,
    `const response = await next(request)
     if (request.headers.get('x-spoil') === null || response.body === null) return response
     const spoil = (bytes) => { for (let at = 0; at < bytes.length; at += 1) if (bytes[at] > 96 && bytes[at] < 123) bytes[at] = 35; return bytes }
     ${read}`,
  )
}

const WAYS = [
  [
    'in a transform',
    'return new Response(response.body.pipeThrough(new TransformStream({ transform: (chunk, to) => to.enqueue(spoil(chunk)) })), response)',
  ],
  [
    'with a reader',
    `const reader = response.body.getReader()
     const pull = async (to) => { const { value } = await reader.read(); if (value === undefined) to.close(); else to.enqueue(spoil(value)) }
     return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), response)`,
  ],
  [
    'in the bytes of events',
    'return context.stream((async function* () { for await (const one of context.events(response)) { spoil(one.raw); yield one } })(), response)',
  ],
  [
    'having given them to another thread',
    `const give = (chunk, to) => { const sent = structuredClone(chunk, { transfer: [chunk.buffer] }); to.enqueue(spoil(sent)) }
     return new Response(response.body.pipeThrough(new TransformStream({ transform: give })), response)`,
  ],
  ['as a whole', 'return new Response(spoil(await response.bytes()), response)'],
] as const

/** An upstream that sends its stream when the test says so. */
function held() {
  const begun = Promise.withResolvers<UpstreamConnection>()
  const script: Script = async (request, connection) => {
    await request.body
    beginStream(connection)
    connection.chunk(event('secret'))
    begun.resolve(connection)
  }
  const finish = (connection: UpstreamConnection): void => {
    connection.chunk(event('more'))
    connection.chunk(DONE)
    connection.endChunks()
  }
  return { script, begun: begun.promise, finish }
}

describe('an extension that writes into the bytes of an answer', () => {
  test.each(WAYS)('%s changes its own caller’s only: neither those who joined nor what is kept', async (way, read) => {
    const { script, begun, finish } = held()
    const path = spoiling(`spoil-${way.replaceAll(' ', '-')}`, read)
    const { chat, upstreams } = await start({
      upstreams: { one: script },
      file: { cache: CACHE, extensions: [path] },
    })
    const ask = async (headers = {}): Promise<string> => (await chat(STREAMED, headers)).text()
    const spoilt = ask({ 'x-spoil': '1' })
    const upstream = await begun
    const joined = [ask(), ask({ 'x-spoil': '1' }), ask()]
    finish(upstream)
    expect(await spoilt).toBe(SPOILT)
    expect(await Promise.all(joined)).toEqual([WHOLE, SPOILT, WHOLE])
    expect([await ask({ 'x-spoil': '1' }), await ask(), await ask({ 'x-spoil': '1' })]).toEqual([SPOILT, WHOLE, SPOILT])
    expect(upstreams.one.requests).toHaveLength(1)
  })

  test('that are one piece, and large, changes its own caller’s only', async () => {
    const text = 'large '.repeat(20_000)
    const script: Script = async (request, connection) => {
      await request.body
      connection.json({ id: 'chatcmpl-1', object: 'chat.completion', choices: [], text })
    }
    for (const [way, read] of [WAYS[0], WAYS[1], WAYS[4]] as const) {
      const path = spoiling(`large-${way.replaceAll(' ', '-')}`, read)
      const { chat, upstreams } = await start({
        upstreams: { one: script },
        file: { cache: CACHE, extensions: [path] },
      })
      const has = async (headers = {}): Promise<boolean> =>
        (await (await chat({ model: 'm' }, headers)).text()).includes('large')
      expect([await has({ 'x-spoil': '1' }), await has(), await has({ 'x-spoil': '1' }), await has()]).toEqual([
        ...[false, true, false, true],
      ])
      expect(upstreams.one.requests).toHaveLength(1)
    }
  })

  test('leaves the log’s view of the answer’s end as it was', async () => {
    const { script, begun, finish } = held()
    const path = write(
      'spoil-end',
      `const response = await next(request)
       return new Response(response.body.pipeThrough(new TransformStream({ transform(chunk, to) { to.enqueue(chunk.slice()); chunk.fill(0) } })), response)`,
    )
    const gateway = await start({ upstreams: { one: script }, file: { extensions: [path] } })
    const answer = gateway.chat(STREAMED)
    finish(await begun)
    expect(await (await answer).text()).toBe(WHOLE)
    expect(await gateway.exchange(1)).toMatchObject({ outcome: 'complete', status: 200 })
  })

  test('has a clone whose bytes are its own', async () => {
    const { script, begun, finish } = held()
    const path = write(
      'clone',
      `const response = await next(request)
       const copy = response.clone()
       void (async () => { for await (const chunk of copy.body) chunk.fill(0) })()
       return response`,
    )
    const { chat } = await start({ upstreams: { one: script }, file: { extensions: [path] } })
    const answer = chat(STREAMED)
    finish(await begun)
    expect(await (await answer).text()).toBe(WHOLE)
  })
})

test('an extension that writes into a request’s bytes changes neither what goes on nor what another one reads', async () => {
  const spoil = write(
    'spoil-request',
    `for await (const chunk of request.body) chunk.fill(0)
     return next(request)`,
  )
  const read = write('read-request', `context.log.info({ body: await context.body() }, 'read'); return next(request)`)
  const gateway = await start({
    upstreams: { one: answerAs('one') },
    file: { extensions: [spoil, read] },
  })
  const sent = JSON.stringify({ model: 'm', messages: MESSAGES })
  expect((await gateway.chat(sent)).status).toBe(200)
  expect(Buffer.from((await gateway.upstreams.one.requests[0]?.body) ?? []).toString()).toBe(sent)
  expect((await gateway.line(({ msg }) => msg === 'read'))['body']).toEqual(JSON.parse(sent))
})

test('an extension that writes into an error changes neither another caller’s nor the next one', async () => {
  const path = write(
    'spoil-error',
    `try { return await next(request) } catch (error) {
       if (request.headers.get('x-spoil') === null) throw error
       error.body.error.message = 'spoilt'; try { error.entry.status = 418 } catch {}
       throw error
     }`,
  )
  const arrived = Promise.withResolvers<UpstreamConnection>()
  const { port, upstreams } = await start({
    upstreams: { one: fail(500) },
    file: { cache: CACHE, extensions: [path] },
  })
  upstreams.one.play((_request, connection) => arrived.resolve(connection))
  const body = JSON.stringify({ model: 'm', messages: MESSAGES })
  const asking = [{ 'x-spoil': '1' }, {}, {}].map(async (headers: Record<string, string>) => {
    const client = await openRawClient(port)
    client.write(postText('/v1/chat/completions', body, headers))
    return client
  })
  const clients = await Promise.all(asking)
  const connection = await arrived.promise
  await haveBegun(port)
  connection.json({}, 200, { 'content-type': 'text/html' })
  const answers = await Promise.all(clients.map((client) => client.response()))
  const [spoilt, ...others] = answers.map(({ status, text }) => `${status} ${text()}`)
  expect(spoilt).toContain('spoilt')
  expect(others.filter((text) => text.includes('spoilt') || !text.startsWith('502'))).toEqual([])
})
