import { describe, expect, test } from 'bun:test'
import { extensionFiles } from '../helpers/extension-files.ts'
import { perTest } from '../helpers/per-test.ts'
import { getText, postText, sendRaw } from '../helpers/raw-client.ts'
import { errorOf } from '../helpers/received-answers.ts'
import { lastBody, lastRequest, wireText } from '../helpers/received-requests.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)
const { write } = extensionFiles()
const pass = write('pass', 'return next(request)')

const CHAT = '{ "model" : "m","messages":[{"role":"user","content":"hi"}],"n":1.0 }'

describe('what an extension passes on', () => {
  test('goes through several in the order of the file, and comes back the other way round', async () => {
    const mark = (name: string) =>
      write(
        name,
        `request.headers.append('x-way', '${name}'); const response = await next(request);
         response.headers.append('x-back', '${name}'); return response`,
      )
    const one = answerAs('one')
    const { chat, upstreams } = await start({
      upstreams: { one },
      file: { extensions: [mark('a'), mark('b'), mark('c')] },
    })
    const answer = await chat(CHAT)
    expect(answer.headers.get('x-back')).toBe('c, b, a')
    expect(lastRequest(upstreams.one).header('x-way')).toBe('a, b, c')
    // Only headers have been changed: the body is the caller's, byte for byte.
    expect(await lastBody(upstreams.one)).toBe(CHAT)
  })

  test('may be another body: its model decides where it goes, the rules fit it, and the log has it', async () => {
    const path = write(
      'other-body',
      `const body = await context.body()
       return next(new Request(request, { body: JSON.stringify({ ...body, model: 'smart', temperature: 5 }) }))`,
    )
    const gateway = await start({
      upstreams: { one: answerAs('one'), two: answerAs('two') },
      file: {
        models: { m: { targets: [{ upstream: 'one' }] }, smart: { targets: [{ upstream: 'two', model: 'real' }] } },
        params: [{ match: { model: 'smart' }, clamp: { temperature: { max: 1 } } }],
        extensions: [path],
      },
    })
    expect(await (await gateway.chat(CHAT)).json()).toMatchObject({ by: 'two' })
    expect(JSON.parse(await lastBody(gateway.upstreams.two))).toMatchObject({ model: 'real', temperature: 1 })
    const { byteLength } = (await lastRequest(gateway.upstreams.two).body) as Uint8Array
    expect(lastRequest(gateway.upstreams.two).header('content-length')).toBe(String(byteLength))
    expect(gateway.upstreams.one.requests).toHaveLength(0)
    expect(await gateway.exchange(1)).toMatchObject({ model: 'smart', attempts: 1, status: 200, outcome: 'complete' })
  })

  test('is checked like a caller’s: a body that is no chat is a 400 of our shape, and asks nobody', async () => {
    const path = write('bad-body', "return next(new Request(request, { body: '[1]' }))")
    const gateway = await start({
      upstreams: { one: answerAs('one') },
      file: { extensions: [path] },
    })
    expect((await gateway.chat(CHAT)).status).toBe(400)
    expect(gateway.upstreams.one.requests).toHaveLength(0)
    expect(await gateway.exchange(1)).toMatchObject({ status: 400, attempts: 0, outcome: 'complete' })
  })

  test('may be for another path and query', async () => {
    const path = write(
      'other-path',
      `const url = new URL(request.url); url.pathname = '/v1/responses'; url.search = '?a=1'
       return next(new Request(url, request))`,
    )
    const { chat, upstreams } = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [path] } })
    expect((await chat(CHAT)).status).toBe(200)
    expect(lastRequest(upstreams.one).target).toBe('/v1/responses?a=1')
    expect(await lastBody(upstreams.one)).toBe(CHAT)
  })

  test('may be passed on again: a retry is one line of the log, with both attempts', async () => {
    const path = write(
      'again',
      `const first = await next(request); if (first.status !== 503) return first
       await first.body?.cancel(); return next(request)`,
    )
    let asked = 0
    const flaky: Script = async (request, connection) => {
      await request.body
      asked += 1
      if (asked === 1) connection.json({ error: { message: 'busy' } }, 503, { 'x-should-retry': 'false' })
      else connection.json({ by: 'two' })
    }
    const gateway = await start({ upstreams: { one: flaky }, file: { extensions: [path] } })
    const answer = await gateway.chat(CHAT)
    expect([answer.status, await answer.json()]).toEqual([200, { by: 'two' }])
    expect(
      await Promise.all(gateway.upstreams.one.requests.map(async ({ body }) => String(Buffer.from(await body)))),
    ).toEqual([CHAT, CHAT])
    expect(await gateway.exchange(1)).toMatchObject({ status: 200, attempts: 2, outcome: 'complete' })
    expect((await gateway.exchange(1))['tries']).toHaveLength(2)
  })
})

describe('what an extension sees', () => {
  test('is never a key, a token or a cookie, wherever they come; they go on all the same', async () => {
    const path = write(
      'spy',
      `const seen = JSON.stringify([[...request.headers], request.url, await request.clone().text(), context.principal])
       const response = await next(request); response.headers.set('x-seen', encodeURIComponent(seen)); return response`,
    )
    const one = answerAs('one')
    const token = 'CANARY-token-0123456789'
    const guarded = await start({
      upstreams: { one },
      settings: { one: { api_key: 'sk-server' } },
      file: { extensions: [path] },
      env: { REQUIRE_AUTH: 'true', API_TOKEN: token },
    })
    const open = await start({
      upstreams: { one },
      settings: { one: { auth: 'caller' } },
      file: { extensions: [path] },
    })
    const ways: Record<string, string>[] = [
      { authorization: `Bearer ${token}` },
      { 'x-api-key': token },
      { 'api-key': token },
      { authorization: `Bearer ${token}`, cookie: 'a=CANARY' },
    ]
    for (const headers of ways) {
      for (const { chat } of [guarded, open]) {
        const answer = await chat(CHAT, headers)
        expect(answer.status).toBe(200)
        const seen = decodeURIComponent(answer.headers.get('x-seen') ?? '')
        expect(seen).toContain('hi')
        expect(seen).not.toContain('CANARY')
      }
    }
    const seen = (await guarded.chat(CHAT, { 'api-key': token })).headers.get('x-seen') ?? ''
    expect(decodeURIComponent(seen)).toMatch(/\{"kind":"token","id":"token-[0-9a-f]{8}"\}/)
    expect(lastRequest(guarded.upstreams.one).header('authorization')).toBe('Bearer sk-server')
    expect(lastRequest(open.upstreams.one).header('authorization')).toBe(`Bearer ${token}`)
  })

  test('can’t take over another’s credentials: what it sets in their place counts for nothing', async () => {
    const path = write('forger', "request.headers.set('authorization', 'Bearer sk-other'); return next(request)")
    const { chat, upstreams } = await start({
      upstreams: { one: answerAs('one') },
      settings: { one: { auth: 'caller' } },
      file: { extensions: [path] },
    })
    await chat(CHAT, { authorization: 'Bearer sk-mine' })
    expect(lastRequest(upstreams.one).header('authorization')).toBe('Bearer sk-mine')
  })
})

describe('other requests than chats go through extensions, too', () => {
  test('GET, HEAD and DELETE, with their exact target', async () => {
    const gateway = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [pass] } })
    for (const method of ['GET', 'DELETE', 'HEAD']) {
      const answer = await sendRaw(gateway.port, getText("/v1/files/a%7Eb'?x=%20", { Connection: 'close' }, method))
      expect([method, answer.status]).toEqual([method, 200])
      expect(lastRequest(gateway.upstreams.one)).toMatchObject({ method, target: "/v1/files/a%7Eb'?x=%20" })
    }
  })

  test('an upload streams through: the upstream has its beginning before the caller has sent its end', async () => {
    const gateway = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [pass] } })
    const { promise: begun, resolve: goOn } = Promise.withResolvers<void>()
    const first = new Uint8Array(64 * 1024).fill(97)
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(first)
        await begun
        controller.enqueue(first)
        controller.close()
      },
    })
    const type = { 'content-type': 'multipart/form-data; boundary=x' }
    const answer = fetch(`${gateway.url}/v1/files`, { method: 'POST', headers: type, body })
    const request = await gateway.upstreams.one.request(1)
    expect(await request.firstBytes).not.toBe('')
    goOn()
    expect((await answer).status).toBe(200)
    expect(await request.body).toHaveLength(2 * first.byteLength)
    expect(request.header('content-type')).toBe('multipart/form-data; boundary=x')
  })

  test('a gzip body goes on as it came, and is read plain', async () => {
    const path = write(
      'plain',
      `const text = await request.text(); const { model } = await context.body()
       const response = await next(request); response.headers.set('x-read', text.length + model); return response`,
    )
    const gateway = await start({ upstreams: { one: answerAs('one') }, file: { extensions: [path] } })
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const body = Bun.gzipSync(CHAT)
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })
    expect([answer.status, answer.headers.get('x-read')]).toEqual([200, `${CHAT.length}m`])
    expect(lastRequest(gateway.upstreams.one).header('content-encoding')).toBe('gzip')
    expect(Buffer.from(await lastRequest(gateway.upstreams.one).body).equals(Buffer.from(body))).toBe(true)
  })

  test('the same bytes of a chat reach the upstream with extensions as without, the order of its headers aside', async () => {
    const one = answerAs('one')
    const text = postText('/v1/chat/completions', CHAT, { 'X-Own': 'a', Accept: '*/*', Connection: 'close' })
    const wires: string[][] = []
    for (const extensions of [[], [pass, write('pass-2', 'return next(request)')]]) {
      const gateway = await start({ upstreams: { one }, file: { extensions } })
      expect((await sendRaw(gateway.port, text)).status).toBe(200)
      const wire = await wireText(lastRequest(gateway.upstreams.one))
      wires.push(wire.replaceAll(String(gateway.upstreams.one.port), 'PORT').split('\r\n').toSorted())
    }
    expect(wires[1]).toEqual(wires[0] ?? [])
  })
})

test('one refuses with context.error: the status and four keys are its own, and the log says by whom it was', async () => {
  const path = write('tone', "throw context.error(403, { message: 'Not so.', code: 'tone', param: 'messages' })")
  const gateway = await start({
    upstreams: { one: answerAs('one') },
    file: { extensions: [path] },
  })
  expect(await errorOf(await gateway.chat(CHAT))).toEqual([
    403,
    { message: 'Not so.', type: expect.any(String), param: 'messages', code: 'tone' },
  ])
  expect(gateway.upstreams.one.requests).toHaveLength(0)
  expect(await gateway.exchange(1)).toMatchObject({ status: 403, error: 'extension_refused', attempts: 0 })
})
