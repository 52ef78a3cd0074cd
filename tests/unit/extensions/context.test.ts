import { describe, expect, test } from 'bun:test'
import type { Context } from '../../../src/extensions/extension.ts'
import { type Asked, arriving, type ChainUnderTest, chainUnderTest, loaded, textOf } from './chain-under-test.ts'

/** What something that an extension does in its turn comes to. */
async function within<T>(act: (context: Context, request: Request) => T | Promise<T>, asked?: Asked): Promise<T & {}> {
  const { result } = await withinRig(act, asked)
  return result as T & {}
}

async function withinRig<T>(
  act: (context: Context, request: Request) => T | Promise<T>,
  asked?: Asked,
): Promise<ChainUnderTest & { readonly result: T }> {
  const results: T[] = []
  const made = chainUnderTest([
    loaded(
      async (request, next, context) => {
        results.push(await act(context, request))
        return await next(request)
      },
      { options: { a: 1 } },
    ),
  ])
  await made.ask(asked)
  return { ...made, result: results[0] as T }
}

test('says what is known of the request, and never a secret', async () => {
  const target = '/v1/chat/completions?a=1'
  const facts = await within(
    ({ requestId, endpoint, principal, options }) => ({ requestId, endpoint, principal, options }),
    { target },
  )
  expect(facts).toEqual({
    requestId: 'req_1',
    endpoint: 'chat/completions',
    principal: { kind: 'token', id: 'token-1' },
    options: { a: 1 },
  })
})

test('has the signal of the exchange', async () => {
  const { result, abort } = await withinRig(({ signal }) => signal)
  expect(result).toBe(abort.signal)
})

describe('the body', () => {
  test('is parsed once for all, and leaves the request unread; the pipeline gets it, too', async () => {
    const bodies: unknown[] = []
    const one = (name: string) =>
      loaded(
        async (request, next, context) => {
          bodies.push(await context.body(), await context.body())
          expect(request.bodyUsed).toBe(false)
          return await next(request)
        },
        { name },
      )
    const { ask, sent } = chainUnderTest([one('a'), one('b')])
    const body = arriving(['{"a":', '[1]}'])
    await ask({ body })
    expect(new Set(bodies).size).toBe(1)
    expect(bodies[0]).toEqual({ a: [1] })
    expect(sent[0]?.json?.value).toBe(bodies[0])
    expect(await textOf(sent[0] as never)).toBe('{"a":[1]}')
    expect(sent[0]?.isOriginal).toBe(true)
  })

  test('is frozen, however deep: what is decided on is what is sent', async () => {
    const body = await within((context) => context.body<{ a: { b: number[] } }>(), { body: '{"a":{"b":[1]}}' })
    expect(() => body.a.b.push(2)).toThrow(TypeError)
  })

  test('may be compressed', async () => {
    const body = Bun.gzipSync(new TextEncoder().encode('{"a":1}'))
    const { result, sent } = await withinRig((context) => context.body(), {
      body,
      headers: { 'content-encoding': 'gzip' },
    })
    expect(result).toEqual({ a: 1 })
    expect(new Uint8Array((await sent[0]?.body?.whole()) ?? [])).toEqual(body)
  })

  test('that says it is JSON and is none is refused as the caller’s mistake', async () => {
    const { ask } = chainUnderTest([
      loaded(async (request, next, context) => ((await context.body()) ? next(request) : next(request))),
    ])
    expect(await ask({ body: '{' }).catch((thrown: unknown) => thrown)).toMatchObject({ kind: 'invalid_json' })
  })

  test.each([
    ['of another type', { body: 'hello', headers: { 'content-type': 'text/plain' } }],
    ['of a form', { body: '{"a":1}', headers: { 'content-type': 'multipart/form-data; boundary=x' } }],
    ['of none', { method: 'GET' }],
  ])('%s is none', async (_name, asked) => {
    const results = await within(async (context) => [await context.body()], asked)
    expect(results).toEqual([undefined])
  })

  test('that clients say is text is tried', async () => {
    const body = await within((context) => context.body(), {
      body: '{"a":1}',
      headers: { 'content-type': 'text/plain' },
    })
    expect(body).toEqual({ a: 1 })
  })

  test('that is too large is refused, whatever its type', async () => {
    const { ask } = chainUnderTest([
      loaded(async (request, next, context) => {
        await context.body()
        return await next(request)
      }),
    ])
    const asked = ask({ body: 'x'.repeat(1_000_001), headers: { 'content-type': 'text/plain' } })
    expect(await asked.catch((thrown: unknown) => thrown)).toMatchObject({ kind: 'request_too_large' })
  })
})

describe('the log', () => {
  test('takes a message, or fields and a message; each line names the extension and the request', async () => {
    const { lines } = await withinRig(({ log }) => {
      log.info('plain')
      log.warn({ a: 1, extension: 'another' }, 'with fields')
      log.debug({ b: 2 })
      log.error('bad')
    })
    const fixed = { extension: 'tested', request_id: 'req_1' }
    expect(lines).toEqual([
      { level: 'info', fields: fixed, message: 'plain' },
      { level: 'warn', fields: { a: 1, ...fixed }, message: 'with fields' },
      { level: 'debug', fields: { b: 2, ...fixed }, message: '' },
      { level: 'error', fields: fixed, message: 'bad' },
    ])
  })
})

describe('the store', () => {
  test('keeps values of JSON for a time, each extension’s apart from the others’', async () => {
    const { result, stored } = await withinRig(async ({ store }) => {
      await store.set('k', { a: [1] }, { ttlMs: 5000 })
      await store.set('gone', 'x', { ttlMs: 1 })
      await store.delete('gone')
      return [await store.get<unknown>('k'), await store.get('gone')]
    })
    expect(result).toEqual([{ a: [1] }, undefined])
    expect([...stored]).toEqual([
      ['extension:tested:k', { value: new TextEncoder().encode('{"a":[1]}'), ttlMs: 5000, scope: 'extension:tested' }],
    ])
  })

  test('takes bytes that are no JSON for nothing', async () => {
    const { ask, stored } = chainUnderTest([
      loaded(async (_request, _next, { store }) => Response.json({ found: (await store.get('k')) ?? 'nothing' })),
    ])
    stored.set('extension:tested:k', { value: new Uint8Array([0xff]), ttlMs: 1, scope: '' })
    expect(await (await ask()).json()).toEqual({ found: 'nothing' })
  })

  test.each([
    ['no JSON', undefined as unknown as string, { ttlMs: 1 }],
    ['no time', 'a', {} as { ttlMs: number }],
    ['a time of nothing', 'a', { ttlMs: 0 }],
    ['no options', 'a', undefined as unknown as { ttlMs: number }],
  ])('refuses %s', async (_name, value, options) => {
    const error = await within(({ store }) => store.set('k', value, options).catch((thrown: unknown) => thrown))
    expect(error).toBeInstanceOf(TypeError)
  })
})

describe('a call of its own', () => {
  test.each(['moderations', '/moderations', 'v1/moderations', '/v1/moderations'])('goes to %s', async (path) => {
    const headers = { authorization: 'Bearer tok', 'content-encoding': 'gzip' }
    const { result, called } = await withinRig(async ({ call }) => await (await call(path, { input: 'ü' })).json(), {
      headers,
      body: Bun.gzipSync(new TextEncoder().encode('{}')),
    })
    expect(result).toEqual({ called: true })
    expect(called[0]?.target).toBe('/v1/moderations')
    const { request } = called[0] ?? { request: new Request('http://x') }
    expect(request.method).toBe('POST')
    expect(Object.fromEntries(request.headers)).toEqual({
      accept: 'application/json',
      authorization: 'Bearer tok',
      'content-length': '14',
      'content-type': 'application/json',
    })
    expect(await textOf(called[0] as never)).toBe('{"input":"ü"}')
  })
})

describe('what goes on behind the answer', () => {
  test('is waited for at the server’s end', async () => {
    const work = Promise.withResolvers<void>()
    const { chain } = await withinRig(({ waitUntil }) => waitUntil(work.promise))
    let isSettled = false
    const settling = chain.settle().then(() => {
      isSettled = true
    })
    await Bun.sleep(0)
    expect(isSettled).toBe(false)
    work.resolve()
    await settling
    expect(isSettled).toBe(true)
  })
})
