import { describe, expect, test } from 'bun:test'
import { ChunkedBody } from '../../../../src/server/http1/chunked-body.ts'

/** Takes a body byte by byte, and gives its payload. */
function takeDripping(text: string): string {
  const body = new ChunkedBody()
  let payload = ''
  for (const byte of Buffer.from(text, 'latin1')) {
    body.take(Buffer.of(byte), (piece) => {
      payload += piece.toString('latin1')
    })
  }
  return payload
}

describe('a chunked body', () => {
  test('is read, however it is cut', () => {
    const text = '002\r\nab\r\n1;a=b;c="\\"d"\r\nc\r\n0\r\nX-A: b\r\nY:\r\n\r\n'
    expect(takeDripping(text)).toBe('abc')
  })

  test('has sizes of one digit and of many, in either case, with zeros in front, of which each cut is the same', () => {
    const long = 'x'.repeat(0x1a)
    const text = `1\r\na\r\n1A\r\n${long}\r\n1a\r\n${long}\r\n0001\r\nb\r\n000000001\r\nc\r\n0\r\n\r\n`
    const whole = `a${long}${long}bc`
    expect(takeDripping(text)).toBe(whole)
    const body = new ChunkedBody()
    let payload = ''
    expect(body.take(Buffer.from(`${text}next`), (piece) => (payload += piece.toString()))).toBe(text.length)
    expect(payload).toBe(whole)
    expect(body.isDone).toBe(true)
  })

  test.each(['1\r\naX\r\n', '1\r\na\rX', '1\nab', 'g\r\n', '\r\n', '1\r\na\r\n-1\r\n', '1 \r\na'])(
    'is refused as a whole: %j',
    (text) => {
      const body = new ChunkedBody()
      expect(() => body.take(Buffer.from(text), () => undefined)).toThrow()
    },
  )

  test.each([
    '5\rX',
    '5\r\r',
    'g',
    ';',
    ' ',
    '5 ',
    '\r',
    '1234567890abc',
    '5;a\x00',
    '2\r\nabX',
    '2\r\nab\n',
    '2\r\nab\rX',
    '0\r\n\n',
    '0\r\n\rX',
    '0\r\nA\r',
    '0\r\nA: b\rX',
    '0\r\n ',
  ])('%j is refused before more of it has come, and with no byte less', (text) => {
    expect(() => takeDripping(text)).toThrow()
    expect(() => takeDripping(text.slice(0, -1))).not.toThrow()
  })
})

test('chunks of a byte each are one piece of what a read of the socket has brought', () => {
  const body = new ChunkedBody()
  const pieces: string[] = []
  const emit = (piece: Buffer): void => void pieces.push(piece.toString('latin1'))
  body.take(Buffer.from('1\r\na\r\n1\r\nb\r\n3\r\ncde\r\n2\r\nf'), emit)
  const taken = body.take(Buffer.from('g\r\n1;x=y\r\nh\r\n0\r\n\r\nGET / HTTP/1.1'), emit)
  expect(pieces).toEqual(['abcdef', 'gh'])
  expect([taken, body.isDone]).toEqual([18, true])
})

test('chunks of all lengths are the same payload, wherever they are cut', () => {
  const sizes = [1, 15, 16, 3, 255, 1, 1, 40, 15]
  let payload = ''
  const text = `${sizes
    .map((size, at) => {
      const data = String.fromCharCode(97 + at).repeat(size)
      payload += data
      return `${size.toString(16)}${at === 3 ? ';x="y"' : ''}\r\n${data}\r\n`
    })
    .join('')}0\r\n\r\n`
  for (let cut = 0; cut <= text.length; cut += 1) {
    const body = new ChunkedBody()
    let found = ''
    const emit = (piece: Buffer): void => {
      found += piece.toString('latin1')
    }
    for (const part of [text.slice(0, cut), text.slice(cut)]) body.take(Buffer.from(part, 'latin1'), emit)
    expect([found === payload, body.isDone], `cut at ${cut}`).toEqual([true, true])
  }
})
