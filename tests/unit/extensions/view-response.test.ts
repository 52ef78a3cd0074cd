import { describe, expect, test } from 'bun:test'
import { noteBody } from '../../../src/answers/body-note.ts'
import { Tap } from '../../../src/answers/tap.ts'
import type { Outcome } from '../../../src/exchange/outcome.ts'
import { chainUnderTest, type Fetch, loaded } from './chain-under-test.ts'

/** Has an extension do something with an answer, and gives what comes out. */
async function shown(fetch: Fetch, answer: () => Response): Promise<Response> {
  return await chainUnderTest([loaded(fetch)], answer).ask()
}

const JSON_ANSWER = () => Response.json({ a: 1 }, { status: 202, headers: { 'x-a': 'b' } })

describe('an answer as an extension sees it', () => {
  test('is a Response with all that one has', async () => {
    const made = new Response('a', { status: 201, statusText: 'Made' })
    await shown(
      async (request, next) => {
        const response = await next(request)
        expect(response).toBeInstanceOf(Response)
        const { status, statusText, ok, type, url, redirected, bodyUsed } = response
        expect({ status, statusText, ok, type, url, redirected, bodyUsed }).toEqual({
          status: 201,
          statusText: 'Made',
          ok: true,
          type: 'default',
          url: '',
          redirected: false,
          bodyUsed: false,
        })
        return response
      },
      () => made,
    )
  })

  test.each([
    ['text', (response: Response) => response.text()],
    ['json', async (response: Response) => JSON.stringify(await response.json())],
    ['arrayBuffer', async (response: Response) => new TextDecoder().decode(await response.arrayBuffer())],
    ['bytes', async (response: Response) => new TextDecoder().decode(await response.bytes())],
    ['blob', async (response: Response) => await (await response.blob()).text()],
    ['body', async (response: Response) => await new Response(response.body).text()],
    ['clone', async (response: Response) => await response.clone().text()],
  ])('is read by %s', async (_name, read) => {
    const response = await shown(async (request, next) => new Response(await read(await next(request))), JSON_ANSWER)
    expect(await response.text()).toBe('{"a":1}')
  })

  test('is read as a form', async () => {
    const response = await shown(
      async (request, next) => new Response(String((await (await next(request)).formData()).get('a'))),
      () => new Response('a=1', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    )
    expect(await response.text()).toBe('1')
  })

  test('is read once', async () => {
    let error: unknown
    await shown(async (request, next) => {
      const response = await next(request)
      await response.text()
      expect(response.bodyUsed).toBe(true)
      error = await response.text().catch((thrown: unknown) => thrown)
      return new Response()
    }, JSON_ANSWER)
    expect(error).toBeInstanceOf(TypeError)
  })

  test('may be copied: the copy and the answer have the same bytes, status and headers', async () => {
    let copied = ''
    const response = await shown(async (request, next) => {
      const answer = await next(request)
      answer.headers.set('x-new', '1')
      const copy = answer.clone()
      expect([copy.status, copy.headers.get('x-a'), copy.headers.get('x-new')]).toEqual([202, 'b', '1'])
      copied = await copy.text()
      return answer
    }, JSON_ANSWER)
    expect([response.status, response.headers.get('x-a'), response.headers.get('x-new')]).toEqual([202, 'b', '1'])
    expect(await response.text()).toBe('{"a":1}')
    expect(copied).toBe('{"a":1}')
  })

  test('may be wrapped, with its body as it is', async () => {
    const response = await shown(async (request, next) => {
      const answer = await next(request)
      return new Response(answer.body, {
        status: 203,
        headers: { ...Object.fromEntries(answer.headers), 'x-new': '1' },
      })
    }, JSON_ANSWER)
    expect([response.status, response.headers.get('x-a'), response.headers.get('x-new')]).toEqual([203, 'b', '1'])
    expect(await response.text()).toBe('{"a":1}')
  })

  test('that was looked at and not read goes on as the very answer', async () => {
    const answer = JSON_ANSWER()
    const response = await shown(
      async (request, next) => {
        const seen = await next(request)
        expect(seen.body?.locked).toBe(false)
        expect(seen.bodyUsed).toBe(false)
        return seen
      },
      () => answer,
    )
    expect(response).toBe(answer)
  })

  test('can’t be read behind the caller’s back once it is on its way', async () => {
    let seen: Response | undefined
    const { ask, chain } = chainUnderTest([
      loaded(async (request, next) => {
        seen = await next(request)
        return seen
      }),
    ])
    const response = await ask()
    const late = seen?.text().catch((thrown: unknown) => thrown ?? 'failed')
    expect(await response.text()).toBe('{"ok":true}')
    expect(await late).toBe('failed')
    await chain.settle()
  })

  test('is another one’s where its methods are borrowed', async () => {
    await shown(async (request, next) => {
      const response = await next(request)
      const text = response.text
      expect(() => text.call(new Response('a'))).toThrow(TypeError)
      return response
    }, JSON_ANSWER)
  })

  test('is plain: what was compressed is decoded, and goes on as it came', async () => {
    const encoded = Bun.gzipSync(new TextEncoder().encode('abc'))
    const answer = () =>
      new Response(encoded, { headers: { 'content-encoding': 'gzip', 'content-length': String(encoded.byteLength) } })
    const read = await shown(async (request, next) => new Response(await (await next(request)).text()), answer)
    expect(await read.text()).toBe('abc')
    const passed = await shown(async (request, next) => {
      const response = await next(request)
      expect(response.headers.get('content-encoding')).toBeNull()
      return response
    }, answer)
    expect(passed.headers.get('content-encoding')).toBe('gzip')
    expect(passed.headers.get('content-length')).toBe(String(encoded.byteLength))
    expect(await passed.bytes()).toEqual(encoded)
  })

  test('of an unknown coding is shown as it came, and without a name for it', async () => {
    const answer = () => new Response('abc', { headers: { 'content-encoding': 'odd' } })
    const read = await shown(async (request, next) => new Response(await (await next(request)).text()), answer)
    expect(await read.text()).toBe('abc')
  })
})

describe('a body that is watched', () => {
  function watched(chunks: readonly string[]) {
    const ends: Outcome[] = []
    let at = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const chunk = chunks[at]
          at += 1
          if (chunk === undefined) controller.close()
          else controller.enqueue(new TextEncoder().encode(chunk))
        },
      },
      { highWaterMark: 0 },
    )
    return { ends, answer: noteBody(new Response(body), { tap: new Tap({ onEnd: (outcome) => ends.push(outcome) }) }) }
  }

  test('is told of by its tap, whoever reads it', async () => {
    const { answer, ends } = watched(['a', 'b'])
    const response = await shown(
      async (request, next) => new Response(await (await next(request)).text()),
      () => answer,
    )
    expect(await response.text()).toBe('ab')
    expect(ends).toEqual([{ kind: 'complete' }])
  })

  test('is told of as cancelled where the extension gives it up, read or not', async () => {
    for (const isRead of [true, false]) {
      const { answer, ends } = watched(['a', 'b'])
      await shown(
        async (request, next) => {
          const { body } = await next(request)
          const reader = body?.getReader()
          if (isRead) await reader?.read()
          await reader?.cancel()
          return new Response('own')
        },
        () => answer,
      )
      expect(ends).toEqual([{ kind: 'cancelled' }])
    }
  })

  test('keeps its note where it passes', async () => {
    const { answer, ends } = watched(['a'])
    expect(
      await shown(
        (request, next) => next(request),
        () => answer,
      ),
    ).toBe(answer)
    expect(ends).toEqual([])
  })

  test('is shown where the response itself has none', async () => {
    const whole = new TextEncoder().encode('{"a":1}')
    const answer = noteBody(new Response(null, { headers: { 'content-length': '7' } }), { whole })
    const response = await shown(
      async (request, next) => Response.json(await (await next(request)).json()),
      () => answer,
    )
    expect(await response.json()).toEqual({ a: 1 })
  })
})
