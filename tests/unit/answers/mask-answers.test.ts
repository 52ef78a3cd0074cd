import { describe, expect, test } from 'bun:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { maskAnswers } from '../../../src/answers/mask-answers.ts'
import { Secret } from '../../../src/config/secret.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { createDeadlines } from '../../../src/timing/deadlines.ts'
import { createMask } from '../../../src/upstream/mask.ts'
import type { UpstreamCall } from '../../../src/upstream/send.ts'

const SECRET = 'sk-server-0123456789'
const STARS = '*'.repeat(SECRET.length)

/** What comes of an upstream's answer where the key was sent with the call. */
async function shownOf(answer: Response): Promise<Response> {
  const send = maskAnswers(async () => answer, createDeadlines())
  const url = new URL('http://up.test/v1/files')
  const call: UpstreamCall = {
    ...{ url, target: url.pathname, method: 'GET', headers: new Headers(), body: null, abort: new AbortController() },
    mask: createMask([new Secret(SECRET)]),
  }
  return await send(call)
}

const refusalOf = (answer: Response): Promise<unknown> => shownOf(answer).catch((thrown: unknown) => thrown)

const CODINGS = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZIP', gzipSync],
  ['gzip, identity', gzipSync],
  ['identity, gzip', gzipSync],
  ['deflate, gzip', (text: string) => gzipSync(deflateSync(text))],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
] as const

describe.each(CODINGS)('an error in %s', (coding, encode) => {
  const headersFor = (bytes: Uint8Array) => ({ 'content-encoding': coding, 'content-length': String(bytes.byteLength) })

  test('that repeats the key goes on decoded and masked', async () => {
    const encoded = new Uint8Array(encode(`{"error":"key ${SECRET}"}`))
    const shown = await shownOf(new Response(encoded, { status: 401, headers: headersFor(encoded) }))
    const text = await shown.text()
    expect([shown.status, text]).toEqual([401, `{"error":"key ${STARS}"}`])
    expect(shown.headers.get('content-encoding')).toBeNull()
    expect(shown.headers.get('content-length')).toBe(String(text.length))
  })

  test('without the key stays as it came, byte for byte', async () => {
    const encoded = new Uint8Array(encode('{"error":"no"}'))
    const shown = await shownOf(new Response(encoded, { status: 500, headers: headersFor(encoded) }))
    expect(new Uint8Array(await shown.arrayBuffer())).toEqual(encoded)
    expect(shown.headers.get('content-encoding')).toBe(coding)
    expect(shown.headers.get('content-length')).toBe(String(encoded.byteLength))
  })
})

const TEXT = `{"error":"key ${SECRET}"}${' '.repeat(5000)}`
const UNREADABLE: readonly (readonly [string, string, Uint8Array])[] = [
  ['cut by its last bytes', 'gzip', gzipSync(TEXT).subarray(0, -6)],
  ['cut in the middle', 'gzip', gzipSync(TEXT).subarray(0, 40)],
  ['with something behind its end', 'gzip', Buffer.concat([gzipSync(TEXT), Buffer.from('more')])],
  ['in a coding that nobody knows', 'compress', Buffer.from(TEXT)],
  ['in two codings, of which one is not known', 'gzip, aws-chunked', gzipSync(TEXT)],
  ['that is not what it says', 'br', Buffer.from(TEXT)],
  ['that decodes to more than can be searched', 'gzip', gzipSync(new Uint8Array(64 * 1024 * 1024))],
  ['that is itself too long', 'gzip', Buffer.alloc(2 * 1024 * 1024)],
]

test.each(UNREADABLE)(
  'an error %s does not go on: clients show what they can make of it',
  async (_what, coding, bytes) => {
    for (const status of [302, 401, 429, 500]) {
      const answer = new Response(new Uint8Array(bytes), { status, headers: { 'content-encoding': coding } })
      const refused = await refusalOf(answer)
      expect(refused).toBeInstanceOf(ApiError)
      expect((refused as ApiError).kind).toBe('upstream_invalid_response')
    }
  },
)

test.each([200, 201, 204, 301, 304, 307, 401, 500])('headers and the reason of a %d are masked', async (status) => {
  const headers = { location: `https://login.test/?key=${SECRET}`, 'content-type': 'text/plain', 'x-debug': SECRET }
  const body = status === 204 || status === 304 ? null : 'text'
  const shown = await shownOf(new Response(body, { status, statusText: `for ${SECRET}`, headers }))
  expect(shown.status).toBe(status)
  expect(shown.statusText).toBe(`for ${STARS}`)
  expect(shown.headers.get('location')).toBe(`https://login.test/?key=${STARS}`)
  expect(shown.headers.get('x-debug')).toBe(STARS)
  expect(await shown.text()).toBe(body ?? '')
})

test("a redirect's body is masked as an error's is; a good answer is what the model said, and passes", async () => {
  expect(await (await shownOf(new Response(`go to ?key=${SECRET}`, { status: 302 }))).text()).toBe(
    `go to ?key=${STARS}`,
  )
  const said = new Response(`the model says ${SECRET}`)
  expect(await (await shownOf(said)).text()).toBe(`the model says ${SECRET}`)
})

test("a good answer's body that reports a failure is masked, whoever reads it", async () => {
  const text = `{"error":"key ${SECRET}"}`
  for (const read of [
    (answer: Response) => answer.text(),
    async (answer: Response) => Buffer.from(await answer.arrayBuffer()).toString(),
    async (answer: Response) => Buffer.from(await answer.bytes()).toString(),
    async (answer: Response) => (await answer.blob()).text(),
    async (answer: Response) => JSON.stringify(await answer.json()),
    (answer: Response) => new Response(answer.body, answer).text(),
    // Whether there is a body is asked before it is read.
    async (answer: Response) => (answer.body === null ? '' : await answer.text()),
  ])
    expect(await read(await shownOf(new Response(text)))).toBe(`{"error":"key ${STARS}"}`)
})

test.each(['gzip', 'br', 'deflate', 'zstd'] as const)(
  'an error in %s, whatever its Content-Encoding says, shows no key',
  async (coding) => {
    const encode = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync, zstd: zstdCompressSync }[coding]
    const encoded = new Uint8Array(encode(`{"error":"key ${SECRET}"}`))
    for (const told of ['', 'identity', ' , ']) {
      const headers = { 'content-type': 'application/json', 'content-encoding': told }
      const shown = await shownOf(new Response(encoded, { status: 401, headers }))
      expect(await shown.text()).toBe(`{"error":"key ${STARS}"}`)
      expect(shown.headers.get('content-encoding')).toBeNull()
    }
    const twice = new Uint8Array(encode(encoded))
    const headers = { 'content-encoding': coding }
    expect(await (await shownOf(new Response(twice, { status: 401, headers }))).text()).toContain(STARS)
    const doubled = { 'content-encoding': `${coding}, ${coding}` }
    const refused = await refusalOf(new Response(encoded, { status: 401, headers: doubled }))
    expect((refused as ApiError).kind).toBe('upstream_invalid_response')
  },
)

test('an error in gzip that no header tells of breaks off before the key, and passes without it', async () => {
  const headers = { 'content-type': 'application/json' }
  const withKey = await shownOf(new Response(new Uint8Array(gzipSync(TEXT)), { status: 500, headers }))
  expect(await withKey.text().catch((thrown: unknown) => (thrown as ApiError).kind)).toBe('upstream_invalid_response')
  const clean = new Uint8Array(gzipSync('{"error":"no"}'))
  const without = await shownOf(new Response(clean, { status: 500, headers }))
  expect(new Uint8Array(await without.arrayBuffer())).toEqual(clean)
  const torn = await shownOf(new Response(clean.slice(0, 5), { status: 500, headers }))
  expect(await torn.arrayBuffer()).toHaveProperty('byteLength', 5)
})

test('bytes that are no text pass in an error whose Content-Encoding is empty', async () => {
  const bytes = new Uint8Array([1, 2, 3, 255, 254])
  const shown = await shownOf(new Response(bytes, { status: 404, headers: { 'content-encoding': '' } }))
  expect(new Uint8Array(await shown.arrayBuffer())).toEqual(bytes)
})

test('an encoded error that breaks off is a failure of the upstream', async () => {
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(gzipSync(TEXT).subarray(0, 20)),
    pull: (controller) => controller.error(new TypeError('reset')),
  })
  const refused = await refusalOf(new Response(body, { status: 500, headers: { 'content-encoding': 'gzip' } }))
  expect((refused as ApiError).kind).toBe('upstream_unreachable')
})
