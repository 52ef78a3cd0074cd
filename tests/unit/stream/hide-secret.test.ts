import { expect, test } from 'bun:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { Secret } from '../../../src/config/secret.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { hideSecret, isEncoded } from '../../../src/stream/hide-secret.ts'
import { collectStream, streamOf } from './collect-stream.ts'

const SECRET = 'sk-server-0123456789'
const STARS = '*'.repeat(SECRET.length)

async function textOf(body: Awaited<ReturnType<typeof hideSecret>>): Promise<string> {
  return new Response(body).text()
}

test('the key is masked whatever the chunking, with the length kept', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constant(SECRET), fc.string(), fc.constant(SECRET.slice(0, 7))), { maxLength: 6 }),
      fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 20 }),
      async (parts, sizes) => {
        const whole = new TextEncoder().encode(parts.join(''))
        const chunks: Uint8Array[] = []
        for (let at = 0, turn = 0; at < whole.byteLength; turn += 1) {
          const size = (sizes[turn % sizes.length] ?? 0) + 1
          chunks.push(whole.slice(at, at + size))
          at += size
        }
        const masked = await textOf(await hideSecret(streamOf(chunks), new Headers(), new Secret(SECRET)))
        expect(masked).toBe(new TextDecoder().decode(whole).replaceAll(SECRET, STARS))
      },
    ),
  )
})

test('the key is masked in headers, and other headers stay', async () => {
  const headers = new Headers({ 'www-authenticate': `Bearer key="${SECRET}"`, 'x-other': 'yes' })
  await hideSecret(null, headers, new Secret(SECRET))
  expect(headers.get('www-authenticate')).toBe(`Bearer key="${STARS}"`)
  expect(headers.get('x-other')).toBe('yes')
})

const CODINGS = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZIP', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
] as const

test.each(CODINGS)('an echo of the key in a %s body goes on decoded and masked', async (coding, encode) => {
  const encoded = new Uint8Array(encode(`{"error":"key ${SECRET}"}`))
  const headers = new Headers({ 'content-encoding': coding, 'content-length': String(encoded.byteLength) })
  expect(isEncoded(headers)).toBe(true)
  const text = await textOf(await hideSecret(encoded, headers, new Secret(SECRET)))
  expect(text).toBe(`{"error":"key ${STARS}"}`)
  expect(headers.get('content-encoding')).toBeNull()
  expect(headers.get('content-length')).toBe(String(text.length))
})

test.each(CODINGS)('a %s body without the key stays as it came, byte for byte', async (coding, encode) => {
  const encoded = new Uint8Array(encode('{"error":"no"}'))
  const headers = new Headers({ 'content-encoding': coding, 'content-length': String(encoded.byteLength) })
  expect(await hideSecret(encoded, headers, new Secret(SECRET))).toEqual(encoded)
  expect(headers.get('content-encoding')).toBe(coding)
  expect(headers.get('content-length')).toBe(String(encoded.byteLength))
})

test('a body that its Content-Encoding does not fit stays as it came', async () => {
  const broken = new Uint8Array(gzipSync('{"error":"no"}').subarray(0, 20))
  expect(await hideSecret(broken, new Headers({ 'content-encoding': 'gzip' }), new Secret(SECRET))).toEqual(broken)
})

test('a gzip bomb is not unpacked for the search', async () => {
  const bomb = new Uint8Array(gzipSync(new Uint8Array(64 * 1024 * 1024)))
  const refused = await hideSecret(bomb, new Headers({ 'content-encoding': 'gzip' }), new Secret(SECRET)).catch(
    (e: unknown) => e,
  )
  expect(refused).toBeInstanceOf(ApiError)
  expect((refused as ApiError).kind).toBe('upstream_invalid_response')
})

test('a masked body that breaks off stays broken', async () => {
  const masked = await hideSecret(streamOf(['an error'], new Error('reset')), new Headers(), new Secret(SECRET))
  expect((await collectStream(masked as ReadableStream<Uint8Array>)).isBroken).toBe(true)
})
