import { describe, expect, test } from 'bun:test'
import { readInSlices, readStreamBytes, readStreamJson, readStreamText } from '../../../src/extensions/read-stream.ts'

/** A body that comes in two chunks, cut in the midst of a character. */
function bodyOf(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  const at = Math.floor(bytes.byteLength / 2)
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes.subarray(0, at))
      controller.enqueue(bytes.subarray(at))
      controller.close()
    },
  })
}

const LONG = `{"text":"${'漢é😀\\n'.repeat(150_000)}","list":[1,{"a":null}]}`

describe.each([
  ['short', '{"text":"漢😀","list":[1]}'],
  ['long', LONG],
])('a %s body', (_, text) => {
  test('is read as the runtime itself would', async () => {
    expect(await readStreamText(bodyOf(text))).toBe(text)
    expect(Buffer.from(await readStreamBytes(bodyOf(text))).toString()).toBe(text)
    expect(await readStreamJson(bodyOf(text))).toEqual(JSON.parse(text))
  })

  test('of a request is read so by each of its own readers, once', async () => {
    const asked = (): Request =>
      readInSlices(
        new Request('http://localhost/', { method: 'POST', body: bodyOf(text), duplex: 'half' } as RequestInit),
      )
    expect(await asked().json()).toEqual(JSON.parse(text))
    expect(await asked().text()).toBe(text)
    expect(Buffer.from(await asked().arrayBuffer()).toString()).toBe(text)
    const request = asked()
    expect((await request.bytes()).byteLength).toBe(Buffer.byteLength(text))
    expect(request.text()).rejects.toThrow()
  })
})

test('a million numbers are an honest table, and a million objects are too many', async () => {
  const numbers = `[${'0.25,'.repeat(1_200_000)}0]`
  expect(((await readStreamJson(bodyOf(numbers))) as readonly number[]).length).toBe(1_200_001)
  expect(readStreamJson(bodyOf(`[${'{},'.repeat(1_000_000)}0]`))).rejects.toThrow('more values')
})

test('what is no JSON, or no body, is told', async () => {
  expect(readStreamJson(bodyOf('{"a":'))).rejects.toThrow(SyntaxError)
  expect(readStreamJson(bodyOf(`{"a":"${'x'.repeat(100_000)}`))).rejects.toThrow(SyntaxError)
  expect(await readStreamText(null)).toBe('')
})
