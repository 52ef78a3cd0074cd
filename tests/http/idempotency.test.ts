import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { beginStream, DONE, event, numbered } from '../helpers/cache-calls.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText, type RawClient } from '../helpers/raw-client.ts'
import { errorOf } from '../helpers/received-answers.ts'
import { lastBody } from '../helpers/received-requests.ts'
import type { Script, UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { fail } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS } from '../helpers/within.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const BODY = '{"messages":[{"role":"user","content":"hi"}],"model":"m","stream":true}'
const KEY = { 'idempotency-key': 'once' } as const
const WHOLE = event('a') + event('b') + DONE

/** An upstream that sends the first event of its stream, and the rest when the test says so. */
function halfway() {
  const begun = Promise.withResolvers<UpstreamConnection>()
  const script: Script = async (request, connection) => {
    await request.body
    beginStream(connection)
    connection.chunk(event('a'))
    begun.resolve(connection)
  }
  const finish = (upstream: UpstreamConnection): void => {
    upstream.chunk(event('b') + DONE)
    upstream.endChunks()
  }
  return { script, begun: begun.promise, finish }
}

/** Sends the request with its key, and waits for the first event. */
async function begin({ port }: TestGateway, body = BODY): Promise<RawClient> {
  const client = await openRawClient(port)
  client.write(postText('/v1/chat/completions', body, KEY))
  await client.until((received) => received.includes('"a"'))
  return client
}

describe('an Idempotency-Key', () => {
  test('has a retry join the generation under way, from its start, and later get the finished answer', async () => {
    const { script, begun, finish } = halfway()
    const gateway = await start({ upstreams: { one: script }, file: {} })
    const clients = [await begin(gateway), await begin(gateway)]
    finish(await begun)
    const answers = await Promise.all(clients.map((client) => client.response()))
    const later = await (await begin(gateway)).response()
    expect([...answers, later].map((answer) => answer.text())).toEqual([WHOLE, WHOLE, WHOLE])
    expect(gateway.upstreams.one.requests).toHaveLength(1)
    const told = [...answers, later].map((answer) => answer.headers.get('idempotent-replayed'))
    expect(told).toEqual([undefined, 'true', 'true'])
    expect(await gateway.exchange(3)).toMatchObject({
      ...{ attempts: 0, outcome: 'complete', bytes: WHOLE.length, idempotent: 'replayed' },
    })
    const lines = [await gateway.exchange(1), await gateway.exchange(2)]
    expect(new Set(lines.map(({ idempotent }) => idempotent))).toEqual(new Set([undefined, 'joined']))
  })

  test('is for any POST, also one whose body comes behind its head, and reaches the upstream', async () => {
    const gateway = await start({ upstreams: { one: numbered() }, file: {} })
    const body = '{"prompt":"a cat"}'
    const head = `POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: once\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
    const texts: string[] = []
    for (const cut of [0, 5, body.length]) {
      const client = await openRawClient(gateway.port)
      client.write(head + body.slice(0, cut))
      await Bun.sleep(20)
      client.write(body.slice(cut))
      texts.push((await client.response()).text())
    }
    expect(new Set(texts).size).toBe(1)
    expect(gateway.upstreams.one.requests).toHaveLength(1)
    expect(gateway.upstreams.one.requests[0]?.header('idempotency-key')).toBe('once')
    expect(await lastBody(gateway.upstreams.one)).toBe(body)
  })

  test('with another body is refused: 422, in OpenAI’s shape, also while the first one is under way', async () => {
    const { script, begun, finish } = halfway()
    const gateway = await start({ upstreams: { one: script }, file: {} })
    const client = await begin(gateway)
    const [status, error] = await errorOf(await gateway.chat({ model: 'other' }, KEY))
    expect(status).toBe(422)
    expect(error).toMatchObject({ type: 'invalid_request_error', code: 'idempotency_key_reused' })
    finish(await begun)
    expect((await client.response()).text()).toBe(WHOLE)
    expect((await gateway.chat({ model: 'other' }, KEY)).status).toBe(422)
    expect(gateway.upstreams.one.requests).toHaveLength(1)
  })

  test('is free again after an answer that failed, or was cut', async () => {
    const { chat, upstreams } = await start({ upstreams: { one: fail(400) }, file: {} })
    expect((await chat({ model: 'm' }, KEY)).status).toBe(400)
    upstreams.one.play((_request, connection) => connection.reset())
    expect((await chat({ model: 'm' }, KEY)).status).toBe(502)
    upstreams.one.play(numbered())
    const texts = [await (await chat({ model: 'm' }, KEY)).text(), await (await chat({ model: 'm' }, KEY)).text()]
    expect(texts[0]).toBe(texts[1])
    expect(upstreams.one.requests).toHaveLength(3)
  })

  test('is each caller’s own', async () => {
    const { chat, upstreams } = await start({ upstreams: { one: numbered() }, settings: { one: { auth: 'caller' } } })
    const texts = new Set<string>()
    for (const key of ['sk-a', 'sk-b', 'sk-a', 'sk-b']) {
      texts.add(await (await chat({ model: 'm' }, { ...KEY, authorization: `Bearer ${key}` })).text())
    }
    expect([texts.size, upstreams.one.requests.length]).toEqual([2, 2])
  })

  test('with a window of 0 only passes; after the window the upstream is asked again', async () => {
    const { chat, upstreams } = await start({
      upstreams: { one: numbered() },
      env: { IDEMPOTENCY_WINDOW_MS: '0' },
      file: {},
    })
    for (let n = 0; n < 2; n += 1) await (await chat({ model: 'm' }, KEY)).text()
    expect((await chat({ model: 'other' }, KEY)).status).toBe(200)
    expect(upstreams.one.requests.map(({ header }) => header('idempotency-key'))).toEqual(['once', 'once', 'once'])
    const short = await start({ upstreams: { one: numbered() }, env: { IDEMPOTENCY_WINDOW_MS: '2000' }, file: {} })
    const ids: string[] = []
    for (const waitMs of [0, 0, 2_200]) {
      await Bun.sleep(waitMs)
      ids.push(await (await short.chat({ model: 'm' }, KEY)).text())
    }
    expect([new Set(ids).size, ids[0] === ids[1]]).toEqual([2, true])
  })
})

describe('ON_CLIENT_DISCONNECT', () => {
  test('drain: a stream whose client has left runs on, and can be fetched again by its key', async () => {
    const { script, begun, finish } = halfway()
    const gateway = await start({ upstreams: { one: script }, env: { ON_CLIENT_DISCONNECT: 'drain' }, file: {} })
    const client = await begin(gateway)
    const upstream = await begun
    client.leave()
    expect(await gateway.exchange(1)).toMatchObject({ outcome: 'cancelled', attempts: 1 })
    let isClosed = false
    void upstream.closed.then(() => (isClosed = true))
    // While it runs, a retry joins it; that one leaves, too.
    const retry = await begin(gateway)
    retry.leave()
    await gateway.exchange(2)
    // Had it been left, its connection would be closed before this is answered.
    await (await fetch(`${gateway.url}/health`)).text()
    expect(isClosed).toBe(false)
    finish(upstream)
    expect((await (await begin(gateway)).response()).text()).toBe(WHOLE)
    expect(gateway.upstreams.one.requests).toHaveLength(1)
  })

  test('drain: a stream without a client has a limit on the whole of its own', async () => {
    const { script, begun } = halfway()
    const env = { ON_CLIENT_DISCONNECT: 'drain', TOTAL_TIMEOUT_MS: '500' }
    const gateway = await start({ upstreams: { one: script }, env, file: {} })
    const client = await begin(gateway)
    client.leave()
    const upstream = await begun
    const leftAt = performance.now()
    const trickle = setInterval(() => upstream.chunk(event('b')), 50)
    await upstream.closed
    clearInterval(trickle)
    expect(performance.now() - leftAt).toBeLessThan(500 + AT_ONCE_MS)
  })

  test('drain: a server that is told to end lets it come to its end first', async () => {
    const { script, begun, finish } = halfway()
    const gateway = await start({
      upstreams: { one: script },
      file: {},
      env: { ON_CLIENT_DISCONNECT: 'drain' },
      command: gatewayCommand(),
    })
    try {
      const client = await begin(gateway)
      const upstream = await begun
      client.leave()
      await gateway.exchange(1)
      const other = await openRawClient(gateway.port)
      let isOver = false
      const over = gateway.child?.exited.then((code) => {
        isOver = true
        return code
      })
      gateway.child?.kill('SIGTERM')
      // No client has anything under way: their connections are closed. Nothing but its end could be seen of the server now.
      await other.closed
      await Bun.sleep(300)
      expect(isOver).toBe(false)
      finish(upstream)
      expect(await over).toBe(0)
      expect(gateway.upstreams.one.requests).toHaveLength(1)
    } finally {
      await gateway.stop()
    }
  })

  test('cancel: the upstream is cancelled with its last client, and the key is free', async () => {
    const { script, begun } = halfway()
    const gateway = await start({ upstreams: { one: script }, file: {} })
    const client = await begin(gateway)
    const retry = await begin(gateway)
    client.leave()
    retry.leave()
    await (await begun).closed
    gateway.upstreams.one.play(numbered())
    expect((await gateway.chat({ model: 'm' }, KEY)).status).toBe(200)
    expect(gateway.upstreams.one.requests).toHaveLength(2)
  })
})
