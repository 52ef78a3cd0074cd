import { expect, test } from 'bun:test'
import { ApiError } from '../../../src/openai/api-error.ts'
import { createDeadlines } from '../../../src/timing/deadlines.ts'
import { createSend, type UpstreamFetch, type UpstreamInit } from '../../../src/upstream/send.ts'

const URL_ = new URL('http://127.0.0.1:1/v1/files')

function call(method: string, body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null = null) {
  return { method, url: URL_, target: '/v1/files', headers: new Headers(), body, abort: new AbortController() }
}

/** A fetch that does nothing until it is aborted, except reading the request's body where `reads` says so. */
function stalledFetch(reads: boolean): UpstreamFetch {
  return async (_url, { body, signal }) => {
    const aborted = new Promise<never>((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
    if (reads && body instanceof ReadableStream) {
      for await (const chunk of body) expect(chunk).toBeInstanceOf(Uint8Array)
    }
    return aborted
  }
}

test('redirects are not followed, nothing is decompressed, and no clock but ours runs', async () => {
  const inits: UpstreamInit[] = []
  const fetch: UpstreamFetch = async (_url, init) => {
    inits.push(init)
    return new Response('ok')
  }
  await createSend({ fetch, deadlines: createDeadlines(), firstByteMs: 1000 })(call('GET'))
  expect(inits).toHaveLength(1)
  expect(inits[0]).toMatchObject({ redirect: 'manual', decompress: false, timeout: false })
})

test.each([
  ['GET', false],
  ['HEAD', false],
  ['PUT', false],
  ['DELETE', false],
  ['OPTIONS', false],
  ['POST', true],
  ['PATCH', true],
])('%s, which a runtime may or may not send twice, shares a kept connection: %p', async (method, isShared) => {
  const inits: UpstreamInit[] = []
  const fetch: UpstreamFetch = async (_url, init) => {
    inits.push(init)
    return new Response('ok')
  }
  await createSend({ fetch, deadlines: createDeadlines(), firstByteMs: 0 })(call(method, new Uint8Array([1])))
  expect(inits[0]?.keepalive).toBe(isShared)
})

test('an upstream that does not answer in FIRST_BYTE_TIMEOUT_MS is an upstream_timeout', async () => {
  const send = createSend({ fetch: stalledFetch(false), deadlines: createDeadlines(), firstByteMs: 20 })
  const error = await send(call('POST')).catch((thrown: unknown) => thrown)
  expect((error as ApiError).kind).toBe('upstream_timeout')
})

test('a client that uploads slowly is never taken for an upstream that does not answer', async () => {
  const client = Promise.withResolvers<void>()
  let chunks = 0
  const upload = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (chunks === 3) return controller.close()
        // Each pause of the client is longer than the upstream's time.
        await Bun.sleep(40)
        chunks += 1
        if (chunks === 3) client.resolve()
        controller.enqueue(new Uint8Array(1))
      },
    },
    { highWaterMark: 0 },
  )
  const send = createSend({ fetch: stalledFetch(true), deadlines: createDeadlines(), firstByteMs: 25 })
  const answer = send(call('POST', upload)).catch((thrown: unknown) => thrown)
  expect(await Promise.race([client.promise.then(() => 'uploaded'), answer])).toBe('uploaded')
  expect(((await answer) as ApiError).kind).toBe('upstream_timeout')
})

test('an upload that fails on the client’s side fails the call with its own reason', async () => {
  const reason = new ApiError('upload_timeout')
  const upload = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(reason) }, { highWaterMark: 0 })
  const fetch: UpstreamFetch = async (_url, { body }) => {
    await new Response(body ?? null).arrayBuffer()
    return new Response('ok')
  }
  const send = createSend({ fetch, deadlines: createDeadlines(), firstByteMs: 0 })
  expect(await send(call('POST', upload)).catch((thrown: unknown) => thrown)).toBe(reason)
})

test('what a call was aborted with is what it fails with', async () => {
  const request = call('GET')
  const reason = new ApiError('client_closed')
  const send = createSend({ fetch: stalledFetch(false), deadlines: createDeadlines(), firstByteMs: 0 })
  const answer = send(request).catch((thrown: unknown) => thrown)
  request.abort.abort(reason)
  expect(await answer).toBe(reason)
})
