import { describe, expect, test } from 'bun:test'
import { ApiError } from '../../../src/openai/api-error.ts'
import { chainUnderTest, type Fetch, loaded, textOf } from './chain-under-test.ts'

const broken: Fetch = () => {
  throw new Error('my mistake')
}

/** A request whose body can't be read. */
function failingRequest(): Request {
  const body = new ReadableStream({ pull: () => Promise.reject(new Error('my mistake')) }, { highWaterMark: 0 })
  return new Request('http://x/v1/chat/completions', { method: 'POST', body, duplex: 'half' } as RequestInit)
}

describe('an extension that fails', () => {
  test.each([
    ['throws', broken],
    ['rejects', async () => Promise.reject(new Error('my mistake'))],
    ['throws what is no error', () => Promise.reject('my mistake')],
    ['gives nothing', () => undefined as unknown as Response],
    ['gives what is no Response', async () => 'text' as unknown as Response],
    [
      'gives a Response that it has read',
      async () => {
        const response = new Response('a')
        await response.text()
        return response
      },
    ],
    [
      'gives the answer that it has read',
      async (request, next) => {
        const response = await next(request)
        await response.text()
        return response
      },
    ],
  ] as const satisfies readonly (readonly [string, Fetch])[])(
    'and %s is a 500 of ours and one line of the log',
    async (_how, fetch) => {
      const { ask, lines } = chainUnderTest([loaded(fetch, { name: 'mine' })])
      const error: unknown = await ask().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ApiError)
      expect(error).toMatchObject({ kind: 'extension_failed', entry: { status: 500 } })
      expect(lines).toHaveLength(1)
      expect(lines[0]).toMatchObject({
        level: 'error',
        message: 'extension failed: the request was refused',
        fields: { request_id: 'req_1', extension: 'mine', file: '/srv/mine.ts', on_error: 'fail' },
      })
      expect(lines[0]?.fields).toHaveProperty('err')
    },
  )

  test('and may be skipped: the request goes on as it was given, whatever was done to it', async () => {
    const { ask, sent, lines } = chainUnderTest([
      loaded(
        async (request) => {
          request.headers.set('x-mine', '1')
          await request.text()
          throw new Error('my mistake')
        },
        { onError: 'skip' },
      ),
    ])
    expect(await (await ask({ body: '{"a":1}' })).json()).toEqual({ ok: true })
    expect(sent).toHaveLength(1)
    expect(sent[0]?.request.headers.get('x-mine')).toBeNull()
    expect(await textOf(sent[0] as never)).toBe('{"a":1}')
    expect(lines.map(({ message }) => message)).toEqual(['extension failed: the request goes on without it'])
  })

  test('and is skipped goes on with what the one before it has made of the request', async () => {
    const { ask, sent } = chainUnderTest([
      loaded((request, next) => next(new Request(request, { body: '{"b":2}' })), { name: 'a' }),
      loaded(broken, { name: 'b', onError: 'skip' }),
    ])
    await ask()
    expect(await textOf(sent[0] as never)).toBe('{"b":2}')
  })

  test('and is skipped behind next: the answer is used, and the request does not go on twice', async () => {
    const { ask, sent } = chainUnderTest([
      loaded(
        async (request, next) => {
          await next(request)
          throw new Error('my mistake')
        },
        { onError: 'skip' },
      ),
    ])
    expect(await (await ask()).json()).toEqual({ ok: true })
    expect(sent).toHaveLength(1)
  })

  test('and is skipped behind an answer that it has read is a 500 after all', async () => {
    const { ask, sent } = chainUnderTest([
      loaded(
        async (request, next) => {
          await (await next(request)).text()
          throw new Error('my mistake')
        },
        { onError: 'skip' },
      ),
    ])
    expect(await ask().catch((thrown: unknown) => thrown)).toMatchObject({ kind: 'extension_failed' })
    expect(sent).toHaveLength(1)
  })

  test.each([
    ['is no request', 'http://x/v1/models' as unknown as Request],
    ['has a body that fails', failingRequest()],
  ] as const)(
    'and is skipped behind a next that it gave what %s: nothing has gone on, so the request does',
    async (_what, given) => {
      const { ask, sent } = chainUnderTest([loaded((_request, next) => next(given), { onError: 'skip' })])
      expect(await (await ask({ body: '{"a":1}' })).json()).toEqual({ ok: true })
      expect(sent).toHaveLength(1)
      expect(await textOf(sent[0] as never)).toBe('{"a":1}')
    },
  )

  test('and is skipped while next is under way: its error is the caller’s', async () => {
    const { ask } = chainUnderTest(
      [
        loaded(
          (request, next) => {
            void next(request)
            throw new Error('my mistake')
          },
          { onError: 'skip' },
        ),
      ],
      () => Promise.reject(new ApiError('upstream_timeout')),
    )
    expect(await ask().catch((thrown: unknown) => thrown)).toMatchObject({ kind: 'upstream_timeout' })
  })

  test('and has gone on leaves no answer behind', async () => {
    let isCancelled = false
    const onCancel = (): void => {
      isCancelled = true
    }
    const answer = new Response(new ReadableStream({ cancel: onCancel }, { highWaterMark: 0 }))
    const { ask } = chainUnderTest(
      [
        loaded(async (request, next) => {
          await next(request)
          throw new Error('my mistake')
        }),
      ],
      () => answer,
    )
    await ask().catch(() => undefined)
    await Promise.resolve()
    expect(isCancelled).toBe(true)
  })

  test('and gives up an answer of an extension behind it leaves none behind either', async () => {
    let isCancelled = false
    const onCancel = (): void => {
      isCancelled = true
    }
    const { ask } = chainUnderTest([
      loaded(async (request, next) => {
        await next(request)
        throw new Error('my mistake')
      }),
      loaded(() => new Response(new ReadableStream({ cancel: onCancel })), { name: 'b' }),
    ])
    await ask().catch(() => undefined)
    await Promise.resolve()
    expect(isCancelled).toBe(true)
  })
})

describe('an error that is no failure of the extension', () => {
  test('is one that it throws for the caller: OpenAI’s four keys, and no line of the log', async () => {
    const { ask, lines } = chainUnderTest([
      loaded((_request, _next, { error }) => {
        throw error(429, { message: 'Slow down.', code: 'slow', param: 'model' })
      }),
    ])
    const error = (await ask().catch((thrown: unknown) => thrown)) as ApiError
    expect(error.body).toEqual({
      error: { message: 'Slow down.', type: 'rate_limit_error', param: 'model', code: 'slow' },
    })
    expect(error.entry).toMatchObject({ status: 429, fault: 'caller' })
    expect(lines).toEqual([])
  })

  test.each([
    [403, 'caller', 'invalid_request_error'],
    [408, 'caller', 'server_error'],
    [409, 'caller', 'server_error'],
    [422, 'caller', 'invalid_request_error'],
    [429, 'caller', 'rate_limit_error'],
    [500, 'server', 'server_error'],
    [502, 'upstream', 'server_error'],
    [504, 'upstream', 'server_error'],
  ] as const)('a status %p says whose fault it was', async (status, fault, type) => {
    const { ask } = chainUnderTest([
      loaded((_request, _next, context) => Promise.reject(context.error(status, { message: 'No.' }))),
    ])
    const error = (await ask().catch((thrown: unknown) => thrown)) as ApiError
    expect(error.entry).toMatchObject({ status, fault })
    expect(error.body.error).toEqual({ message: 'No.', type, param: null, code: null })
  })

  test.each([
    [200, { message: 'No.' }],
    [400.5, { message: 'No.' }],
    [600, { message: 'No.' }],
    [400, {} as { message: string }],
    [400, undefined as unknown as { message: string }],
  ])('an error with %p and %p is a mistake itself', async (status, details) => {
    const { ask } = chainUnderTest([
      loaded((_request, _next, context) => Promise.reject(context.error(status, details))),
    ])
    expect(await ask().catch((thrown: unknown) => thrown)).toMatchObject({ kind: 'extension_failed' })
  })

  test('is what fails because the caller has left', async () => {
    const left = new ApiError('client_closed')
    const { ask, lines, abort } = chainUnderTest([
      loaded(async (_request, _next, { signal }) => {
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
        return new Response()
      }),
    ])
    const answering = ask().catch((thrown: unknown) => thrown)
    abort.abort(left)
    expect(await answering).toBe(left)
    expect(lines).toEqual([])
  })

  test('is an answer that breaks off while it is read', async () => {
    const { ask, lines } = chainUnderTest(
      [loaded(async (request, next) => Response.json(await (await next(request)).json()))],
      () => new Response(new ReadableStream({ pull: (controller) => controller.error(undefined) })),
    )
    expect(await ask().catch((thrown: unknown) => thrown)).toMatchObject({ kind: 'upstream_unreachable' })
    expect(lines).toEqual([])
  })
})

describe('the time of an extension', () => {
  test('is up: a 500, and a line that says so', async () => {
    const { ask, clocks, lines } = chainUnderTest([loaded(() => new Promise(() => undefined), { timeoutMs: 250 })])
    const answering = ask().catch((thrown: unknown) => thrown)
    expect(clocks.map(({ limitMs }) => limitMs)).toEqual([250])
    clocks[0]?.expire()
    expect(await answering).toMatchObject({ kind: 'extension_failed' })
    expect(lines[0]).toMatchObject({ message: 'extension timed out: the request was refused' })
    expect(String(lines[0]?.fields['err'])).toContain('250 ms')
  })

  test('is up where it may be skipped: the request goes on, once; what it gives or calls later counts for nothing', async () => {
    let late: Promise<unknown> | undefined
    const gate = Promise.withResolvers<void>()
    const { ask, clocks, sent } = chainUnderTest([
      loaded(
        async (request, next) => {
          await gate.promise
          late = next(request).catch((thrown: unknown) => thrown)
          return new Response('late')
        },
        { onError: 'skip' },
      ),
    ])
    const answering = ask()
    clocks[0]?.expire()
    expect(await (await answering).json()).toEqual({ ok: true })
    gate.resolve()
    await gate.promise
    await Promise.resolve()
    expect(String(await late)).toContain('after the extension had ended')
    expect(sent).toHaveLength(1)
  })

  test('what fails after its time is up is not told twice', async () => {
    const gate = Promise.withResolvers<Response>()
    const { ask, clocks, lines } = chainUnderTest([loaded(() => gate.promise)])
    const answering = ask().catch((thrown: unknown) => thrown)
    clocks[0]?.expire()
    await answering
    gate.reject(new Error('late'))
    await gate.promise.catch(() => undefined)
    expect(lines).toHaveLength(1)
  })

  test('stands still while next runs, and begins anew behind it; it ends with the Response', async () => {
    const upstream = Promise.withResolvers<Response>()
    const own = Promise.withResolvers<void>()
    const passed = Promise.withResolvers<void>()
    const { ask, clocks } = chainUnderTest(
      [
        loaded(async (request, next) => {
          const response = await next(request)
          passed.resolve()
          await own.promise
          return response
        }),
      ],
      () => upstream.promise,
    )
    const answering = ask()
    expect(clocks[0]?.state).toBe('suspended')
    upstream.resolve(new Response('a'))
    await passed.promise
    expect(clocks[0]?.state).toBe('running')
    own.resolve()
    await answering
    expect(clocks[0]?.state).toBe('cleared')
  })

  test('runs while a body that the extension has made is waited for, and nothing goes on behind its end', async () => {
    const coming = Promise.withResolvers<void>()
    const body = new ReadableStream({ pull: (to) => coming.promise.then(() => to.close()) }, { highWaterMark: 0 })
    const { ask, clocks, sent } = chainUnderTest([
      loaded((request, next) => next(new Request(request, { body, duplex: 'half' } as RequestInit))),
    ])
    const answering = ask({ body: '{"a":1}' }).catch((thrown: unknown) => thrown)
    await Promise.resolve()
    expect(clocks[0]?.state).toBe('running')
    clocks[0]?.expire()
    expect(await answering).toMatchObject({ kind: 'extension_failed' })
    coming.resolve()
    await Bun.sleep(0)
    expect(sent).toEqual([])
  })

  test('stands still while several calls run, until the last has come back', async () => {
    const [one, two] = [Promise.withResolvers<Response>(), Promise.withResolvers<Response>()]
    const waiting = [one, two]
    const { ask, clocks, sent } = chainUnderTest(
      [
        loaded(async (request, next, { call }) => {
          const asked = call('moderations', { input: 'a' })
          const response = await next(request)
          await asked
          return response
        }),
      ],
      () => one.promise,
      () => two.promise,
    )
    const answering = ask()
    await Promise.resolve()
    expect([sent.length, waiting.length]).toEqual([1, 2])
    one.resolve(new Response('a'))
    await one.promise
    await Promise.resolve()
    expect(clocks[0]?.state).toBe('suspended')
    two.resolve(Response.json({}))
    await answering
    expect(clocks[0]?.state).toBe('cleared')
  })

  test('stands still while the caller sends its body, and while the upstream sends its answer', async () => {
    const upload = Promise.withResolvers<Uint8Array<ArrayBuffer>>()
    const states: unknown[] = []
    const { ask, clocks } = chainUnderTest(
      [
        loaded(async (request, next) => {
          await request.text()
          const response = await next(request)
          return new Response(await response.text())
        }),
        loaded((request, next) => next(request), { name: 'b' }),
      ],
      () =>
        new Response(
          new ReadableStream(
            {
              pull(controller) {
                states.push(clocks[0]?.state)
                controller.enqueue(new TextEncoder().encode('abc'))
                controller.close()
              },
            },
            { highWaterMark: 0 },
          ),
        ),
    )
    const body = { isComplete: false, whole: () => upload.promise, stream: () => new Blob([]).stream() }
    const answering = ask({ body, headers: { 'content-length': '2' } })
    await Bun.sleep(0)
    expect(clocks[0]?.state).toBe('suspended')
    upload.resolve(new TextEncoder().encode('{}'))
    expect(await (await answering).text()).toBe('abc')
    expect(states).toEqual(['suspended'])
  })

  test('of one that answers at once is never up', async () => {
    const { ask, clocks } = chainUnderTest([loaded(() => new Response('a'))])
    await ask()
    expect(clocks[0]?.state).toBe('cleared')
  })
})

test('what two extensions do with one request is their own: one that fails behind its answer breaks nothing', async () => {
  const { ask, chain, lines } = chainUnderTest([
    loaded((request, next, { waitUntil }) => {
      waitUntil(Promise.reject(new Error('behind')))
      return next(request)
    }),
  ])
  expect((await ask()).status).toBe(200)
  await chain.settle()
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ fields: { extension: 'tested', request_id: 'req_1' } })
})
