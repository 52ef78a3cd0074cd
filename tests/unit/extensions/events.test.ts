import { describe, expect, test } from 'bun:test'
import type { Context, ServerSentEvent } from '../../../src/extensions/extension.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { cpuMs } from '../../helpers/cpu-time.ts'
import { chainUnderTest, eventStream, loaded } from './chain-under-test.ts'

/** The events of a response, as an extension gets them. */
async function eventsOf(response: Response): Promise<ServerSentEvent[]> {
  const all: ServerSentEvent[] = []
  const { ask } = chainUnderTest([
    loaded(async (_request, _next, { events }) => {
      for await (const event of events(response)) all.push(event)
      return new Response()
    }),
  ])
  await ask()
  return all
}

/** What a chain with one extension answers to a stream of these chunks. */
function through(
  chunks: readonly string[],
  pass: (events: AsyncIterable<ServerSentEvent>, context: Context) => AsyncIterable<ServerSentEvent | { data: string }>,
  onCancel?: () => void,
) {
  return chainUnderTest(
    [
      loaded(async (request, next, context) => {
        const response = await next(request)
        return context.stream(pass(context.events(response), context), response)
      }),
    ],
    () => eventStream(chunks, onCancel),
  )
}

async function* copied(events: AsyncIterable<ServerSentEvent>) {
  for await (const event of events) yield { ...event, data: event.data }
}

describe('events', () => {
  test('are read with all their fields', async () => {
    const [event, done] = await eventsOf(
      eventStream(['event: delta\nid: 7\nretry: 5\ndata: {"a":\ndata: 1}\n\n', 'data: [DONE]\n\n']),
    )
    expect(event).toMatchObject({ event: 'delta', id: '7', data: '{"a":\n1}', json: { a: 1 } })
    expect(done?.data).toBe('[DONE]')
    expect(done?.json).toBeUndefined()
    expect(done).not.toHaveProperty('event')
  })

  test.each([
    ['a field without a value', 'data\nid\n\n', { data: '', id: '' }],
    ['one space only is taken off', 'data:  a\n\n', { data: ' a' }],
    ['no space', 'data:a\n\n', { data: 'a' }],
    ['an id with a NUL', 'id: a\0b\ndata: a\n\n', { data: 'a' }],
    ['an unknown field', 'other: x\ndata: a\n\n', { data: 'a' }],
    ['CR LF', 'data: a\r\ndata: b\r\n\r\n', { data: 'a\nb' }],
    ['CR', 'data: a\rdata: b\r\r', { data: 'a\nb' }],
    ['a byte order mark', '\uFEFFdata: a\n\n', { data: 'a' }],
    ['no blank line at the end', 'data: a', { data: 'a' }],
    ['JSON that is none', 'data: {"a\n\n', { data: '{"a' }],
  ])('are read: %s', async (_name, text, expected) => {
    const events = await eventsOf(eventStream([text]))
    expect(events).toHaveLength(1)
    const { data, ...others } = expected as { data: string; id?: string }
    expect(events[0]?.data).toBe(data)
    expect(events[0]?.id).toBe(others.id)
    expect(new TextDecoder('utf-8', { ignoreBOM: true }).decode(events[0]?.raw)).toBe(text)
  })

  test.each([
    ': ping\n\n',
    'retry: 3000\n\n',
    'id: 7\n\n',
    'event: delta\n\n',
    'event: delta\nid: 7\n: x\n\n',
    'datum: x\n\n',
    '\n\n',
    ': ping',
    '\uFEFF: ping\r\n\r\n',
  ])('are not what has no data: %j', async (text) => {
    expect(await eventsOf(eventStream([text]))).toEqual([])
    expect((await eventsOf(eventStream([text, 'data: a\n\n']))).map(({ data }) => data)).toEqual(
      /\n\r?\n$/.test(text) ? ['a'] : [],
    )
  })

  test('are none where there is no body', async () => {
    expect(await eventsOf(new Response(null))).toEqual([])
  })

  test('come as soon as they are whole, and nothing is read ahead', async () => {
    let pulled = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1
          controller.enqueue(new TextEncoder().encode(`data: ${pulled}\n\n`))
        },
      },
      { highWaterMark: 0 },
    )
    const { ask } = chainUnderTest([
      loaded((_request, _next, { events, stream }) => stream(events(new Response(body)))),
    ])
    const reader = (await ask()).body?.getReader()
    await reader?.read()
    await reader?.read()
    expect(pulled).toBe(2)
    await reader?.cancel()
  })

  test('that never end are refused', async () => {
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(4_000_000)) })
    const { ask, lines } = chainUnderTest([
      loaded(async (_request, _next, { events }) => {
        for await (const _event of events(new Response(body))) throw new Error('an event came')
        return new Response()
      }),
    ])
    expect(await ask().catch((thrown: unknown) => thrown)).toMatchObject({ kind: 'extension_failed' })
    expect(String(lines[0]?.fields['err'])).toContain('too long')
  })

  test('of more than a hundred thousand lines are refused, and those of as many are read', async () => {
    const read = (lines: number) => {
      const body = `${'data:x\n'.repeat(lines)}\n`
      return chainUnderTest([
        loaded(async (_request, _next, { events }) => {
          for await (const { data } of events(new Response(body))) return new Response(String(data.length))
          return new Response()
        }),
      ])
    }
    expect(await (await read(100_000 - 2).ask()).text()).toBe(String(2 * (100_000 - 2) - 1))
    const { ask, lines } = read(100_001)
    expect(await ask().catch((thrown: unknown) => thrown)).toMatchObject({ kind: 'extension_failed' })
    expect(String(lines[0]?.fields['err'])).toContain('too many lines')
  })

  test('with hundreds of thousands of comments between them go on, comments and all, in the time of the processor that they take', async () => {
    const body = `${':\n\n'.repeat(300_000)}data: a\n\n`
    const { ask } = chainUnderTest([
      loaded((_request, _next, { events, stream }) => stream(events(new Response(body)))),
    ])
    const started = cpuMs()
    expect(await (await ask()).text()).toBe(body)
    // To move all others for each of them would take a minute.
    expect(cpuMs() - started).toBeLessThan(20_000)
  })

  test('end the answer when their reader leaves', async () => {
    let isCancelled = false
    const { ask } = chainUnderTest(
      [
        loaded(async (request, next, { events }) => {
          for await (const _event of events(await next(request))) break
          return new Response('left')
        }),
      ],
      () =>
        eventStream(['data: a\n\n', 'data: b\n\n'], () => {
          isCancelled = true
        }),
    )
    expect(await (await ask()).text()).toBe('left')
    expect(isCancelled).toBe(true)
  })
})

describe('a stream of events', () => {
  test('has the bytes of those that came, and new ones as they are made', async () => {
    const { ask } = through(['data: {"a" : 1}\r\n\r\n', ': ping\n\nda', 'ta: b\n\n'], async function* (events) {
      for await (const event of events) {
        yield event
        if (event.json) {
          yield { ...event, event: 'copy', data: 'x\ny' }
          yield { event: 'own', id: '1', json: { ü: 1 } } as never
        }
      }
    })
    expect(await (await ask()).text()).toBe(
      'data: {"a" : 1}\r\n\r\nevent: copy\ndata: x\ndata: y\n\nevent: own\nid: 1\ndata: {"ü":1}\n\n: ping\n\ndata: b\n\n',
    )
  })

  const PLACES = [
    ': begin\n\nretry: 3000\n\n',
    'data: a\n\n',
    ': one\r\n\r\n: two\n\n\n',
    'event: x\n: within\nretry: 5\ndata: b\n\n',
    'id: 9\n\n',
    'data: [DONE]\n\n',
    ': end\n\n',
  ]
  test('has what stands between the events in its place, byte for byte, however its chunks are cut', async () => {
    const text = PLACES.join('')
    for (const chunks of [[text], PLACES, [...text]]) {
      const untouched = through(chunks, (events) => events)
      expect(await (await untouched.ask()).text()).toBe(text)
      const anew = through(chunks, async function* (events) {
        for await (const event of events) yield { ...event, data: event.data.toUpperCase() }
      })
      expect(await (await anew.ask()).text()).toBe(
        text
          .replace('data: a', 'data: A')
          .replace('event: x\n: within\nretry: 5\ndata: b', ': within\nretry: 5\nevent: x\ndata: B'),
      )
      const nothing = through(chunks, async function* (events) {
        for await (const event of events) if (event.data === '') yield event
      })
      expect(await (await nothing.ask()).text()).toBe([PLACES[0], PLACES[2], PLACES[4], PLACES[6]].join(''))
    }
  })

  test('has a comment at once, while nothing else comes', async () => {
    const rest = Promise.withResolvers<string>()
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          controller.enqueue(new TextEncoder().encode(': ping\n\n'))
          controller.enqueue(new TextEncoder().encode(await rest.promise))
          controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const { ask } = chainUnderTest(
      [
        loaded(async (request, next, { events, stream }) => {
          const response = await next(request)
          return stream(copied(events(response)), response)
        }),
      ],
      () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    )
    const reader = (await ask()).body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(': ping\n\n')
    rest.resolve('data: a\n\n')
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: a\n\n')
    expect((await reader?.read())?.done).toBe(true)
  })

  test('does not read comments far ahead of its reader', async () => {
    let pulls = 0
    const ping = `: ${'x'.repeat(10_000)}\n\n`
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulls += 1
          controller.enqueue(new TextEncoder().encode(ping))
        },
      },
      { highWaterMark: 0 },
    )
    const { ask } = chainUnderTest([
      loaded((_request, _next, { events, stream }) => stream(copied(events(new Response(body))))),
    ])
    const reader = (await ask()).body?.getReader()
    for (let at = 0; at < 100; at += 1) expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(ping)
    expect(pulls).toBeLessThan(120)
    await reader?.cancel()
  })

  test('of another answer’s headers, or of two answers, has no comments of an answer that it is not of', async () => {
    const { ask } = chainUnderTest([
      loaded(async (_request, _next, { events, stream }) => {
        const [one, other] = [eventStream([': one\n\ndata: a\n\n']), eventStream([': other\n\ndata: b\n\n'])]
        const both = async function* () {
          yield* events(one)
          yield* events(other)
        }
        return stream(both(), one)
      }),
    ])
    expect(await (await ask()).text()).toBe(': one\n\ndata: a\n\ndata: b\n\n')
  })

  test('may be of a list, with headers of its own', async () => {
    const { ask } = chainUnderTest([
      loaded((_request, _next, { stream }) => stream([{ data: 'a' }, { json: null as never }, { json: [] }])),
    ])
    const response = await ask()
    expect(await response.text()).toBe('data: a\n\ndata: null\n\ndata: []\n\n')
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-cache',
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    })
  })

  test('keeps the status and the headers of the answer that it is from', async () => {
    const { ask } = chainUnderTest(
      [loaded(async (request, next, { stream, events }) => stream(events(await next(request)), await next(request)))],
      () =>
        new Response('data: a\n\n', {
          status: 201,
          headers: { 'content-type': 'text/event-stream', 'x-a': 'b', 'content-length': '9' },
        }),
    )
    const response = await ask()
    expect([response.status, response.headers.get('x-a'), response.headers.get('content-length')]).toEqual([
      201,
      'b',
      null,
    ])
    expect(response.headers.get('content-type')).toBe('text/event-stream')
  })

  test('is decoded where the answer is compressed', async () => {
    const { ask } = chainUnderTest(
      [
        loaded(async (request, next, { stream, events }) => {
          const response = await next(request)
          expect(response.headers.get('content-encoding')).toBeNull()
          return stream(events(response), response)
        }),
      ],
      () =>
        new Response(Bun.gzipSync(new TextEncoder().encode('data: a\n\n')), {
          headers: { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' },
        }),
    )
    const response = await ask()
    expect(await response.text()).toBe('data: a\n\n')
    expect(response.headers.get('content-encoding')).toBeNull()
  })

  test('whose maker fails ends with an error that the SDKs raise, is broken off, and is a line of the log', async () => {
    const { ask, lines } = through(['data: a\n\n', 'data: b\n\n'], async function* (events) {
      for await (const event of events) {
        yield event
        throw new Error('my mistake')
      }
    })
    const { text, isBroken } = await readAll(await ask())
    expect(text).toStartWith('data: a\n\ndata: {"error":{"message":"An extension of this server')
    expect(text).toEndWith('"code":"extension_failed"}}\n\n')
    expect(isBroken).toBe(true)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ message: 'extension failed: its stream was broken off', level: 'error' })
  })

  test('whose maker refuses ends with that error, and is no failure', async () => {
    const { ask, lines } = through(['data: a\n\n'], async function* (events, { error }) {
      for await (const event of events) {
        yield event
        throw error(400, { message: 'No more.', code: 'enough' })
      }
    })
    const { text, isBroken } = await readAll(await ask())
    expect(text).toContain('"message":"No more.","type":"invalid_request_error","param":null,"code":"enough"')
    expect(isBroken).toBe(true)
    expect(lines).toEqual([])
  })

  test.each([
    ['neither data nor json', {}],
    ['a name of two lines', { event: 'a\nb', data: '' }],
    ['an id of two lines', { id: 'a\rb', data: '' }],
  ])('with an event of %s fails', async (_name, event) => {
    const { ask, lines } = chainUnderTest([
      loaded((_request, _next, { stream }) => stream([event as { data: string }])),
    ])
    expect((await readAll(await ask())).isBroken).toBe(true)
    expect(lines).toHaveLength(1)
  })

  test('whose source breaks off breaks off too, with what came: no line of ours, no second error', async () => {
    let isFirst = true
    const { ask, lines } = chainUnderTest(
      [loaded(async (request, next, { stream, events }) => stream(events(await next(request))))],
      () =>
        new Response(
          new ReadableStream(
            {
              pull(controller) {
                if (!isFirst) return controller.error(undefined)
                isFirst = false
                controller.enqueue(new TextEncoder().encode('data: a\n\n'))
              },
            },
            { highWaterMark: 0 },
          ),
        ),
    )
    expect(await readAll(await ask())).toEqual({ text: 'data: a\n\n', isBroken: true })
    expect(lines).toEqual([])
  })

  test('whose reader leaves ends the answer, also where that is being waited for', async () => {
    const left = Promise.withResolvers<void>()
    const ended: string[] = []
    const { ask } = chainUnderTest(
      [
        loaded(async (request, next, { stream, events }) => {
          const response = await next(request)
          return stream(
            (async function* () {
              try {
                for await (const event of events(response)) yield event
              } finally {
                ended.push('generator')
              }
            })(),
          )
        }),
      ],
      () =>
        new Response(new ReadableStream({ pull: () => new Promise(() => undefined), cancel: () => left.resolve() })),
    )
    const reader = (await ask()).body?.getReader()
    void reader?.read()
    await Bun.sleep(0)
    await reader?.cancel()
    await left.promise
    await Bun.sleep(0)
    expect(ended).toEqual(['generator'])
  })

  test('whose caller has left is not told of errors', async () => {
    const { ask, abort, lines } = through(['data: a\n\n'], async function* (events) {
      for await (const event of events) {
        yield event
        abort.abort(new ApiError('client_closed'))
        throw new Error('because it has left')
      }
    })
    expect((await readAll(await ask())).text).toBe('data: a\n\n')
    expect(lines).toEqual([])
  })

  test('may come from an iterator that can’t be left, or throws when it is', async () => {
    const of = (more: object) => ({
      [Symbol.iterator]: () => ({ next: () => ({ done: false, value: { data: 'a' } }), ...more }),
    })
    for (const events of [
      of({}),
      of({
        return() {
          throw new Error('no')
        },
      }),
    ]) {
      const { ask } = chainUnderTest([
        loaded((_request, _next, { stream }) => stream(events as Iterable<{ data: string }>)),
      ])
      const reader = (await ask()).body?.getReader()
      expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: a\n\n')
      await reader?.cancel()
    }
  })
})

/** A body as far as it comes. */
async function readAll(response: Response): Promise<{ readonly text: string; readonly isBroken: boolean }> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const read = await reader?.read()
      if (read === undefined || read.done) return { text, isBroken: false }
      text += decoder.decode(read.value, { stream: true })
    }
  } catch {
    return { text, isBroken: true }
  }
}
