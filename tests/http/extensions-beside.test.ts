import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { extensionFiles } from '../helpers/extension-files.ts'
import { perTest } from '../helpers/per-test.ts'
import { getText, openRawClient, postText } from '../helpers/raw-client.ts'
import { errorOf } from '../helpers/received-answers.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const { write } = extensionFiles()

/** Flags what has `bad` in it; answers everything else with the name of what was asked for. */
const moderated: Script = async (request, connection) => {
  const body = Buffer.from(await request.body).toString()
  if (request.target === '/v1/moderations') return connection.json({ results: [{ flagged: body.includes('bad') }] })
  connection.json({ by: request.target })
}

const gate = write(
  'gate',
  `if (context.endpoint !== 'chat/completions') return next(request)
   const body = await context.body()
   const verdict = await (await context.call('moderations', { input: body.messages[0].content })).json()
   if (verdict.results[0].flagged) throw context.error(400, { message: 'No.', code: 'flagged' })
   return next(request)`,
)

describe('context.call', () => {
  test('asks with the caller’s key, by the rules, past the extensions; the log’s one line is the caller’s request', async () => {
    const counter = write('counter', "context.log.info({ at: context.endpoint }, 'goes by'); return next(request)")
    const gateway = await start({
      upstreams: { one: moderated },
      settings: { one: { auth: 'caller' } },
      file: {
        params: [{ match: { endpoint: 'moderations' }, defaults: { user: 'rule' } }],
        extensions: [counter, gate],
      },
    })
    const good = await gateway.chat({ model: 'm' }, { authorization: 'Bearer sk-mine' })
    expect(await good.json()).toEqual({ by: '/v1/chat/completions' })
    const bad = await gateway.chat(
      { model: 'm', messages: [{ role: 'user', content: 'bad' }] },
      { 'x-api-key': 'sk-mine' },
    )
    expect(await errorOf(bad)).toMatchObject([400, { code: 'flagged' }])
    expect(gateway.upstreams.one.requests.map(({ target }) => target)).toEqual([
      '/v1/moderations',
      '/v1/chat/completions',
      '/v1/moderations',
    ])
    const [call] = gateway.upstreams.one.requests
    expect(call?.header('authorization')).toBe('Bearer sk-mine')
    expect(JSON.parse(Buffer.from((await call?.body) ?? []).toString())).toEqual({ input: 'hi', user: 'rule' })
    expect(await gateway.exchange(2)).toMatchObject({ attempts: 0, status: 400, error: 'extension_refused' })
    expect(gateway.lines.filter(({ msg }) => msg === 'goes by').map(({ at }) => at)).toEqual(
      Array(2).fill('chat/completions'),
    )
    const told = { route: 'chat.completions', model: 'm', attempts: 1, status: 200, outcome: 'complete' }
    expect(await gateway.exchange(1)).toMatchObject(told)
    expect(gateway.lines.filter(({ msg }) => msg === 'exchange')).toHaveLength(2)
  })

  test('has no part in the caller’s Idempotency-Key: the retry joins the chat, and nothing else', async () => {
    const { chat, upstreams } = await start({ upstreams: { one: moderated }, file: { extensions: [gate] } })
    const key = { 'idempotency-key': 'once' }
    const texts: string[] = []
    for (let n = 0; n < 2; n += 1) {
      const answer = await chat({ model: 'm' }, key)
      expect(answer.status).toBe(200)
      texts.push(await answer.text())
    }
    expect(texts[1]).toBe(texts[0] ?? '')
    expect(upstreams.one.requests.filter(({ target }) => target === '/v1/chat/completions')).toHaveLength(1)
  })

  test('and next leave nothing open, whatever the extension does with their answers', async () => {
    const wasteful = write(
      'wasteful',
      `await next(request); await context.call('responses', {})
       const last = request.headers.get('x-last')
       if (last === 'throw') throw context.error(400, { message: 'No.' })
       if (last === 'own') return Response.json({ by: 'me' })
       return next(request)`,
    )
    const open = new Set<unknown>()
    const one: Script = async (request, connection) => {
      await request.body
      open.add(connection)
      connection.startChunked(200, { 'content-type': 'text/event-stream' })
      connection.chunk('data: 1\n\n')
      void connection.closed.then(() => open.delete(connection))
      if (request.header('x-last') !== 'end' || open.size < 3) return
      connection.endChunks()
      open.delete(connection)
    }
    const gateway = await start({
      upstreams: { one },
      settings: { one: { concurrency: { max: 3 } } },
      file: { extensions: [wasteful] },
    })
    for (const [last, status] of [
      ['throw', 400],
      ['own', 200],
      ['end', 200],
      ['throw', 400],
    ] as const) {
      const answer = await gateway.chat({ model: 'm' }, { 'x-last': last })
      expect(answer.status).toBe(status)
      await answer.text()
      while (open.size > 0) await Bun.sleep(5)
    }
    expect(await gateway.exchange(4)).toMatchObject({ status: 400 })
    const ready = (await (await fetch(`${gateway.url}/ready`)).json()) as { targets: { in_flight: number }[] }
    expect(ready.targets[0]?.in_flight).toBe(0)
  })
})

test('context.store keeps values between requests, each extension’s its own', async () => {
  const counting = (name: string) =>
    write(
      name,
      `const n = ((await context.store.get('n')) ?? 0) + 1; await context.store.set('n', n, { ttlMs: 60000 })
       const response = await next(request); response.headers.set('x-${name}', String(n)); return response`,
    )
  const { chat } = await start({
    upstreams: { one: answerAs('one') },
    file: { extensions: [counting('first'), counting('second')] },
  })
  for (const n of ['1', '2', '3']) {
    const { headers } = await chat({ model: 'm' })
    expect([headers.get('x-first'), headers.get('x-second')]).toEqual([n, n])
  }
})

test('the cache is behind the extensions: each hit goes through them, and what they changed is what is looked up', async () => {
  const path = write(
    'stamp',
    `const body = await context.body()
     const response = await next(new Request(request, { body: JSON.stringify({ ...body, user: 'all' }) }))
     response.headers.set('x-stamp', crypto.randomUUID()); return response`,
  )
  const gateway = await start({
    upstreams: { one: answerAs('one') },
    file: { cache: {}, extensions: [path] },
  })
  const words: unknown[] = []
  const stamps = new Set<unknown>()
  for (const user of ['a', 'b', 'c']) {
    const answer = await gateway.chat({ model: 'm', temperature: 0, user })
    expect(await answer.json()).toMatchObject({ by: 'one' })
    words.push(answer.headers.get('x-nexcode-cache'))
    stamps.add(answer.headers.get('x-stamp'))
  }
  expect(words).toEqual(['MISS', 'HIT', 'HIT'])
  expect(stamps.size).toBe(3)
  expect(gateway.upstreams.one.requests).toHaveLength(1)
  expect(await gateway.exchange(3)).toMatchObject({ cache: 'HIT', attempts: 0, status: 200, outcome: 'complete' })
})

test.each([
  ['untouched', 'return next(request)'],
  ['event by event', 'const r = await next(request); return context.stream(context.events(r), r)'],
  ['of its own', "context.signal.addEventListener('abort', () => context.log.info('left')); return next(request)"],
] as const)(
  'a caller that leaves a stream (%s) cancels the upstream, and the log says who left',
  async (_case, body) => {
    const path = write('leaving', body)
    const closed = Promise.withResolvers<void>()
    const one: Script = async (request, connection) => {
      await request.body
      connection.startChunked(200, { 'content-type': 'text/event-stream' })
      connection.chunk('data: 1\n\n')
      await connection.closed
      closed.resolve()
    }
    const gateway = await start({ upstreams: { one }, file: { extensions: [path] } })
    const client = await openRawClient(gateway.port)
    client.write(postText('/v1/chat/completions', JSON.stringify({ model: 'm', messages: MESSAGES, stream: true })))
    await client.until((received) => received.includes('data: 1'))
    client.leave()
    await closed.promise
    expect(await gateway.exchange(1)).toMatchObject({ status: 499, outcome: 'cancelled', attempts: 1, stream: true })
    if (body.includes('left')) expect(await gateway.line(({ msg }) => msg === 'left')).toMatchObject({ level: 30 })
    expect(gateway.lines.filter(({ level }) => Number(level) >= 50)).toEqual([])
  },
)

test('a caller that leaves before the answer has the extension’s signal aborted, with no word of a failure', async () => {
  const path = write(
    'waiting',
    `const { promise, reject } = Promise.withResolvers()
     context.signal.addEventListener('abort', () => reject(new Error('aborted')))
     context.log.info('waits'); return promise`,
  )
  const gateway = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [path] } })
  const client = await openRawClient(gateway.port)
  client.write(postText('/v1/chat/completions', JSON.stringify({ model: 'm', messages: MESSAGES })))
  await gateway.line(({ msg }) => msg === 'waits')
  client.leave()
  expect(await gateway.exchange(1)).toMatchObject({ status: 499, attempts: 0 })
  expect(gateway.upstreams.one.requests).toHaveLength(0)
  expect(gateway.lines.filter(({ level }) => Number(level) >= 50)).toEqual([])
})

test('a WebSocket passes by the extensions', async () => {
  const path = write('refuser', "throw context.error(403, { message: 'No.' })")
  const one: Script = (_request, connection) =>
    connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  const gateway = await start({ upstreams: { one }, file: { extensions: [path] } })
  const handshake = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  const client = await openRawClient(gateway.port)
  client.write(getText('/v1/realtime?model=m', handshake))
  const received = await client.until((bytes) => bytes.includes('\r\n\r\n'))
  expect(received.toString('latin1')).toStartWith('HTTP/1.1 101')
  client.leave()
})
