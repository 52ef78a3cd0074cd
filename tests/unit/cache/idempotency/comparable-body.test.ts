import { expect, test } from 'bun:test'
import { comparableBody } from '../../../../src/cache/idempotency/comparable-body.ts'

const BYTE_COUNT = 200_000
const BYTES = new Uint8Array(BYTE_COUNT).map((_, at) => (at * 7) % 256)

/** A form with a field and a file, whose lines between the parts are of one's own. */
function formOf(boundary: string, file: Uint8Array): Uint8Array<ArrayBuffer> {
  const line = `--${boundary}\r\nContent-Disposition: form-data; name=`
  const head = Buffer.from(`${line}"model"\r\n\r\nwhisper-1\r\n${line}"file"; filename="a.mp3"\r\n\r\n`)
  return new Uint8Array(Buffer.concat([head, file, Buffer.from(`\r\n--${boundary}--\r\n`)]))
}

async function comparable(boundary: string, file: Uint8Array): Promise<bigint | number> {
  return Bun.hash(await comparableBody(formOf(boundary, file), `multipart/form-data; boundary=${boundary}`))
}

test.each([
  ['short', BYTES.subarray(0, 100)],
  ['long', BYTES],
])('a %s form says the same whatever stands between its parts, and another one does not', async (_, file) => {
  const other = file.slice()
  other[50] = 1
  expect(await comparable('first', file)).toBe(await comparable('a-second-and-longer-one', file))
  expect(await comparable('first', file)).not.toBe(await comparable('first', other))
})

test('a line between parts is found wherever a long form is cut to be read', async () => {
  const all = new Set<bigint | number>()
  for (const boundary of ['b', 'boundary', 'boundary-of-some-length-0123456789']) {
    // From one window of 256 KiB into the next.
    for (const fill of [262_000, 262_050, 262_080, 262_090, 262_100, 262_110, 262_120, 262_143]) {
      const inner = new TextEncoder().encode(`--${boundary}`)
      const text = Buffer.concat([new Uint8Array(fill), inner, new Uint8Array(262_143 - fill), inner])
      const bare = await comparableBody(new Uint8Array(text), `multipart/form-data; boundary=${boundary}`)
      all.add(bare.byteLength)
    }
  }
  expect([...all]).toEqual([262_143 + 4])
})

test('what is no form is compared as it is', () => {
  expect(comparableBody(BYTES, 'application/json')).toBe(BYTES)
  expect(comparableBody(BYTES, null)).toBe(BYTES)
})
