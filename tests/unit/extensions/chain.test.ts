import { describe, expect, test } from 'bun:test'
import { ApiError } from '../../../src/openai/api-error.ts'
import { arriving, chainUnderTest, loaded, textOf } from './chain-under-test.ts'

const BODY = '{ "model":"m",\n "seed": 9007199254740993 }'

describe('a request that nobody changes', () => {
  test('goes on as the very request that came, its body unread', async () => {
    const { ask, sent } = chainUnderTest([
      loaded((request, next) => next(request)),
      loaded(async (request, next) => next(request)),
    ])
    const body = arriving([BODY])
    await ask({ body, target: '/v1/files?a=%7e' })
    expect(sent).toHaveLength(1)
    expect(sent[0]).toMatchObject({ isOriginal: true, target: '/v1/files?a=%7e', json: undefined })
    expect(body.asked()).toBe(0)
    expect(await textOf(sent[0] as never)).toBe(BODY)
  })

  test('gets the very answer, which nobody has read or copied', async () => {
    const answer = new Response('abc', { headers: { 'content-length': '3' } })
    const { ask } = chainUnderTest(
      [loaded((request, next) => next(request)), loaded((request, next) => next(request))],
      () => answer,
    )
    const response = await ask()
    expect(response).toBe(answer)
    expect(response.headers.get('content-length')).toBe('3')
  })

  test('may have been read: what goes on is the same', async () => {
    const { ask, sent } = chainUnderTest([
      loaded(async (request, next) => {
        expect(await request.text()).toBe(BODY)
        return await next(request)
      }),
    ])
    await ask({ body: BODY })
    expect(sent[0]?.isOriginal).toBe(true)
    expect(await textOf(sent[0] as never)).toBe(BODY)
  })

  test('has no body where it came without one', async () => {
    const { ask, sent } = chainUnderTest([
      loaded(async (request, next) => {
        expect(request.body).toBeNull()
        return await next(request)
      }),
    ])
    await ask({ method: 'GET', target: '/v1/models' })
    expect(sent[0]?.body).toBeUndefined()
  })
})

describe('what extensions see', () => {
  test('is each other, in order: requests inwards, answers outwards', async () => {
    const order: string[] = []
    const one = (name: string) =>
      loaded(
        async (request, next) => {
          order.push(`${name} in`)
          const response = await next(request)
          order.push(`${name} out`)
          return response
        },
        { name },
      )
    await chainUnderTest([one('a'), one('b')]).ask()
    expect(order).toEqual(['a in', 'b in', 'b out', 'a out'])
  })

  test('is no credential of the caller, in a header or in the query; it goes on by itself', async () => {
    const headers = {
      authorization: 'Bearer tok',
      'x-api-key': 'tok',
      'api-key': 'tok',
      cookie: 'a=tok',
      'x-mine': '1',
    }
    const { ask, sent } = chainUnderTest([
      loaded((request, next) => {
        expect([...request.headers].flat().join() + request.url).not.toContain('tok')
        expect(request.headers.get('x-mine')).toBe('1')
        return next(
          new Request(request, { headers: { ...Object.fromEntries(request.headers), authorization: 'mine' } }),
        )
      }),
    ])
    await ask({ headers, target: '/v1/files?key=tok&a=1', shownTarget: '/v1/files?a=1' })
    expect(sent[0]?.request.headers.get('authorization')).toBe('Bearer tok')
    expect(sent[0]?.request.headers.get('cookie')).toBe('a=tok')
    expect(sent[0]?.target).toBe('/v1/files?key=tok&a=1')
  })

  test('is plain: a compressed body is decoded for them, and goes on as it came', async () => {
    const encoded = Bun.gzipSync(new TextEncoder().encode(BODY))
    const { ask, sent } = chainUnderTest([
      loaded(async (request, next) => {
        expect(request.headers.get('content-encoding')).toBeNull()
        expect(await request.text()).toBe(BODY)
        return await next(request)
      }),
    ])
    await ask({ body: encoded, headers: { 'content-encoding': 'gzip' } })
    expect(sent[0]?.isOriginal).toBe(true)
    expect(new Uint8Array((await sent[0]?.body?.whole()) ?? [])).toEqual(encoded)
  })

  test('is a limited body: one that is decoded to more is refused', async () => {
    const long = Bun.gzipSync(Array.from({ length: 200_000 }, (_, n) => `line ${n}`).join('\n'))
    const { ask } = chainUnderTest([
      loaded(async (request, next) => next(new Request(request, { body: await request.text() }))),
    ])
    const error = await ask({ body: long, headers: { 'content-encoding': 'gzip' } }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'request_too_large' })
  })
})

describe('a request that is changed', () => {
  test('goes on with the new body and its length; the next extension sees it so', async () => {
    const seen: unknown[] = []
    const { ask, sent } = chainUnderTest([
      loaded((request, next) => next(new Request(request, { body: '{"model":"ü"}' }))),
      loaded(async (request, next, context) => {
        seen.push(await context.body(), await request.json())
        return await next(request)
      }),
    ])
    await ask({ headers: { authorization: 'Bearer tok' } })
    expect(seen).toEqual([{ model: 'ü' }, { model: 'ü' }])
    expect(sent[0]?.isOriginal).toBe(false)
    expect(sent[0]?.request.headers.get('content-length')).toBe('14')
    expect(sent[0]?.request.headers.get('authorization')).toBe('Bearer tok')
    expect(await textOf(sent[0] as never)).toBe('{"model":"ü"}')
    expect(sent[0]?.json?.value).toEqual({ model: 'ü' })
  })

  test('keeps its body, byte for byte, where only headers are changed: in place or by a new request', async () => {
    const encoded = Bun.gzipSync(new TextEncoder().encode(BODY))
    for (const change of [
      (request: Request) => {
        request.headers.set('x-new', '1')
        return request
      },
      (request: Request) => {
        request.headers.append('x-new', '1')
        request.headers.delete('accept')
        return request
      },
    ]) {
      const { ask, sent } = chainUnderTest([loaded((request, next) => next(change(request)))])
      await ask({ body: encoded, headers: { 'content-encoding': 'gzip', authorization: 'Bearer tok' } })
      const { headers } = sent[0]?.request ?? new Request('http://x')
      expect(headers.get('x-new')).toBe('1')
      expect(headers.get('content-encoding')).toBe('gzip')
      expect(headers.get('content-length')).toBe(String(encoded.byteLength))
      expect(headers.get('authorization')).toBe('Bearer tok')
      expect(new Uint8Array((await sent[0]?.body?.whole()) ?? [])).toEqual(encoded)
    }
    const { ask, sent } = chainUnderTest([
      loaded((request, next) => next(new Request(request, { headers: { 'x-new': '1' } }))),
    ])
    await ask({ body: BODY })
    expect(await textOf(sent[0] as never)).toBe(BODY)
    expect(sent[0]?.request.headers.get('x-new')).toBe('1')
  })

  test('may go to another path; the origin does not count', async () => {
    const { ask, sent } = chainUnderTest([
      loaded((_request, next) =>
        next(new Request('http://elsewhere.example/v1/embeddings?a=1', { method: 'POST', body: '{}' })),
      ),
      loaded((request, next, { endpoint }) => {
        expect(endpoint).toBe('embeddings')
        return next(request)
      }),
    ])
    await ask()
    expect(sent[0]?.target).toBe('/v1/embeddings?a=1')
  })

  test('may have no body any more', async () => {
    const { ask, sent } = chainUnderTest([
      loaded((request, next) => next(new Request(request.url, { method: 'DELETE' }))),
    ])
    await ask()
    expect(sent[0]).toMatchObject({ body: undefined, isOriginal: false })
    expect(sent[0]?.request.headers.get('content-length')).toBeNull()
  })

  test('may have a body that is too long to be held: it goes on as it comes, without a length', async () => {
    const long = 'x'.repeat(600_000)
    const { ask, sent } = chainUnderTest([
      loaded((request, next) => {
        const body = new Blob([long]).stream().pipeThrough(new TransformStream())
        return next(new Request(request, { body: new Blob([long, long, long]).stream() ?? body }))
      }),
    ])
    await ask()
    expect(sent[0]?.request.headers.get('content-length')).toBeNull()
    expect((await new Response(sent[0]?.body?.stream()).text()).length).toBe(1_800_000)
  })

  test.each([
    ['no request', (next: (request: Request) => Promise<Response>) => next('http://x/' as unknown as Request)],
    [
      'a request whose body is read',
      async (next: (request: Request) => Promise<Response>) => {
        const read = new Request('http://x/', { method: 'POST', body: 'a' })
        await read.text()
        return await next(read)
      },
    ],
  ])('can not be %s', async (_name, pass) => {
    const { ask, sent } = chainUnderTest([loaded((_request, next) => pass(next))])
    await expect(ask()).rejects.toMatchObject({ kind: 'extension_failed' })
    expect(sent).toEqual([])
  })
})

describe('an answer', () => {
  test('may be an extension’s own: nothing goes on', async () => {
    const { ask, sent } = chainUnderTest([loaded(() => Response.json({ own: true }))])
    expect(await (await ask()).json()).toEqual({ own: true })
    expect(sent).toEqual([])
  })

  test('may get other headers; its length and its bytes stay', async () => {
    const answer = new Response('abc', { headers: { 'content-length': '3' } })
    const { ask } = chainUnderTest(
      [
        loaded(async (request, next) => {
          const response = await next(request)
          expect(response.headers.get('content-length')).toBeNull()
          response.headers.set('x-own', '1')
          return response
        }),
      ],
      () => answer,
    )
    const response = await ask()
    expect(response).toBe(answer)
    expect([response.headers.get('x-own'), response.headers.get('content-length')]).toEqual(['1', '3'])
  })

  test('may get another body, by the common spelling', async () => {
    const { ask } = chainUnderTest(
      [
        loaded(async (request, next) => {
          const response = await next(request)
          return new Response((await response.text()).toUpperCase(), response)
        }),
      ],
      () => new Response('abc', { status: 201, headers: { 'content-length': '3', 'x-a': 'b' } }),
    )
    const response = await ask()
    expect([response.status, response.headers.get('x-a'), response.headers.get('content-length')]).toEqual([
      201,
      'b',
      null,
    ])
    expect(await response.text()).toBe('ABC')
  })

  test('is asked for again by a retry; the one that was not wanted is ended with the exchange', async () => {
    const cancelled: number[] = []
    const { ask, sent, atEnd } = chainUnderTest(
      [
        loaded(async (request, next) => {
          const first = await next(request)
          return first.status === 503 ? next(request) : first
        }),
      ],
      () => {
        const attempt = sent.length
        const body = new ReadableStream({ cancel: () => void cancelled.push(attempt) }, { highWaterMark: 0 })
        return new Response(body, { status: attempt === 1 ? 503 : 200 })
      },
    )
    expect((await ask({ body: BODY })).status).toBe(200)
    expect(await Promise.all(sent.map(textOf))).toEqual([BODY, BODY])
    for (const release of atEnd) release()
    expect(cancelled).toEqual([1])
  })

  test('that comes behind the caller’s is ended where nobody reads it in time, and not where somebody does', async () => {
    for (const isRead of [false, true]) {
      const cancelled: boolean[] = []
      const answering = Promise.withResolvers<Response>()
      const late = Promise.withResolvers<void>()
      const { ask, atEnd, clocks } = chainUnderTest(
        [
          loaded((request, next) => {
            void next(request).then((response) => {
              if (isRead) void response.text()
              late.resolve()
            })
            return Response.json({})
          }),
        ],
        () => answering.promise,
      )
      await ask()
      answering.resolve(
        new Response(new ReadableStream({ cancel: () => void cancelled.push(true) }, { highWaterMark: 0 })),
      )
      await late.promise
      for (const release of atEnd) release()
      clocks.at(-1)?.expire()
      expect(cancelled).toEqual(isRead ? [] : [true])
    }
  })

  test('without a body is passed as it is', async () => {
    const empty = new Response(null, { status: 204 })
    const { ask } = chainUnderTest([loaded((request, next) => next(request))], () => empty)
    expect(await ask()).toBe(empty)
  })

  test('that is an error of the gateway goes to the caller as it is, with no line of the log', async () => {
    const refused = new ApiError('upstream_unreachable')
    const { ask, lines } = chainUnderTest([loaded(async (request, next) => await next(request))], () => {
      throw refused
    })
    expect(await ask().catch((thrown: unknown) => thrown)).toBe(refused)
    expect(lines).toEqual([])
  })
})

test('no extension: the chain says so', () => {
  expect(chainUnderTest([]).chain.isEmpty).toBe(true)
  expect(chainUnderTest([loaded(() => new Response())]).chain.isEmpty).toBe(false)
})
