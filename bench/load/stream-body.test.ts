import { expect, test } from 'bun:test'
import { StreamBody } from './stream-body.ts'

const EVENTS = 'data: {"a":1}\n\ndata: {"b":2}\n\ndata: [DONE]\n\n'
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked'
const chunked = (...parts: string[]) =>
  `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`

function feed(head: string, bytes: string, pieceLength: number): StreamBody {
  const body = new StreamBody(head)
  for (let at = 0; at < bytes.length; at += pieceLength) body.take(Buffer.from(bytes.slice(at, at + pieceLength)))
  return body
}

test('a chunked stream counts the same events wherever its bytes are cut', () => {
  const whole = chunked(EVENTS.slice(0, 14), EVENTS.slice(14, 20), EVENTS.slice(20))
  for (let pieceLength = 1; pieceLength <= whole.length; pieceLength++) {
    const body = feed(CHUNKED, whole, pieceLength)
    expect([body.events, body.isEnded, body.isComplete]).toEqual([3, true, true])
  }
})

test('a chunked stream has not ended before its very last byte', () => {
  const whole = chunked(EVENTS)
  expect(feed(CHUNKED, whole.slice(0, -1), 7).isEnded).toBe(false)
})

test('a stream that came with a length ends with it', () => {
  const body = feed(`HTTP/1.1 200 OK\r\nContent-Length: ${EVENTS.length}`, EVENTS, 5)
  expect([body.events, body.isEnded, body.isComplete]).toEqual([3, true, true])
})

test('a stream without its end mark is not complete', () => {
  const body = feed(CHUNKED, chunked('data: {"a":1}\n\n'), 100)
  expect([body.events, body.isEnded, body.isComplete]).toEqual([1, true, false])
})

test('events that end with CRLF are counted once each', () => {
  const text = EVENTS.replaceAll('\n', '\r\n')
  for (let pieceLength = 1; pieceLength <= text.length; pieceLength++) {
    expect(feed('HTTP/1.1 200 OK', text, pieceLength).events).toBe(3)
  }
})
