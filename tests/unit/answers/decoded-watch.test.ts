import { describe, expect, test } from 'bun:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { FullMask } from '../../../src/answers/body-mask.ts'
import { DecodedWatch } from '../../../src/answers/decoded-watch.ts'
import { maskOf } from '../upstream/mask-of.ts'

const KEY = 'sk-server-0123456789-abcdefghij'
const STARS = '*'.repeat(KEY.length)
const mask = maskOf(KEY)

const watchOf = (format: Bun.CompressionFormat, isStrict = true) =>
  new DecodedWatch(format, { makeMask: () => new FullMask(mask), isStrict })
const bytesOf = (data: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(data)

/** Everything that goes on of an encoded body in pieces of this size, or the error that it ends with. */
async function shownOf(watch: DecodedWatch, body: Uint8Array, size = body.byteLength) {
  const shown: Uint8Array[] = []
  try {
    for (let at = 0; at < body.byteLength; at += size)
      shown.push(await watch.add(bytesOf(body.subarray(at, at + size))))
    shown.push(watch.end())
    return { bytes: Buffer.concat(shown), refused: undefined }
  } catch (error) {
    return { bytes: Buffer.concat(shown), refused: (error as { kind: string }).kind }
  } finally {
    watch.close()
  }
}

describe.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  // As some send it who say "deflate".
  ['deflate', deflateRawSync],
  ['brotli', brotliCompressSync],
] as const)('a body in %s', (format, encode) => {
  test.each([1, 7, 1000])('without the key goes on as it came, in pieces of %d bytes', async (size) => {
    const body = encode('{"id":"c","text":"nothing to hide here, but sk-serious words"}')
    const { bytes, refused } = await shownOf(watchOf(format), body, size)
    expect([bytes.equals(body), refused]).toEqual([true, undefined])
  })

  test('of many kilobytes in one chunk is searched once, and goes on as it came', async () => {
    const noise = Array.from({ length: 4_000 }, (_, n) => (n * 2_654_435_761) % 4_294_967_296).join(' ')
    const body = encode(noise)
    expect(body.byteLength).toBeGreaterThan(10_000)
    const { bytes, refused } = await shownOf(watchOf(format), body)
    expect([bytes.equals(body), refused]).toEqual([true, undefined])
    const behind = encode(`${noise} ${KEY}`)
    const cut = await shownOf(watchOf(format, false), behind, behind.byteLength - 60)
    expect(cut.refused).toBe('upstream_invalid_response')
  })

  test.each([1, 7, 1000])('with the key does not go on to its end, in pieces of %d bytes', async (size) => {
    const body = encode(`{"error":"${KEY}"}${'x'.repeat(20_000)}`)
    const { bytes, refused } = await shownOf(watchOf(format), body, size)
    expect(refused).toBe('upstream_invalid_response')
    expect(bytes.byteLength).toBeLessThan(body.byteLength)
  })

  test('that ends with the key is refused at its end at the latest', async () => {
    const { refused } = await shownOf(watchOf(format), encode(`the key is ${KEY}`), 3)
    expect(refused).toBe('upstream_invalid_response')
  })
})

test('an empty body in deflate, and one of a single byte, go on as they came', async () => {
  expect((await shownOf(watchOf('deflate'), new Uint8Array())).bytes.byteLength).toBe(0)
  expect((await shownOf(watchOf('deflate', false), new Uint8Array([120]))).bytes).toEqual(Buffer.from([120]))
})

test('a chunk waits while what it decodes to may end with the beginning of the key, and goes on when it does not', async () => {
  const watch = watchOf('gzip')
  const first = gzipSync(`words ${KEY.slice(0, 12)}`, { level: 0 })
  // The end of a stored block is known only with the next one.
  const shown = await watch.add(bytesOf(first))
  expect(shown.byteLength).toBe(0)
  expect(watch.end().byteLength).toBe(first.byteLength)
})

describe('a body that is not what it says', () => {
  test('does not go on where all of it has to be searched', async () => {
    const { bytes, refused } = await shownOf(watchOf('gzip'), Buffer.from('no gzip at all'))
    expect([bytes.byteLength, refused]).toEqual([0, 'upstream_invalid_response'])
  })

  test('goes on as it is where that may be, with the key masked in its raw bytes', async () => {
    const watch = watchOf('gzip', false)
    const { bytes, refused } = await shownOf(watch, Buffer.from(`no gzip at all, and ${KEY} in it`), 9)
    expect([bytes.toString(), refused]).toEqual([`no gzip at all, and ${STARS} in it`, undefined])
  })

  test('is one that decodes to far more than it is', async () => {
    const bomb = gzipSync(new Uint8Array(8 * 1024 * 1024))
    expect((await shownOf(watchOf('gzip'), bomb)).refused).toBe('upstream_invalid_response')
    const { bytes, refused } = await shownOf(watchOf('gzip', false), bomb, 1000)
    expect([bytes.equals(bomb), refused]).toEqual([true, undefined])
  })
})
