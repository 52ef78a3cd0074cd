import { describe, expect, test } from 'bun:test'
import { ApiError } from '../../../../src/openai/api-error.ts'
import { PartialHead } from '../../../../src/server/http1/head-reader.ts'
import { CHUNKED, readRequestHead } from '../../../../src/server/http1/request-head.ts'

const read = (text: string) => readRequestHead(Buffer.from(text, 'latin1'))

/** As a connection does it: what has come is looked at with each byte, until the head's end. */
function readDripping(text: string): void {
  const bytes = Buffer.from(text, 'latin1')
  const soFar = new PartialHead()
  for (let end = 1; end <= bytes.byteLength; end += 1) {
    const some = bytes.subarray(0, end)
    if (readRequestHead(some) !== undefined) return
    soFar.check(some)
  }
}

function kindOf(text: string, reader: (text: string) => unknown = read): string | undefined {
  try {
    reader(text)
    return undefined
  } catch (cause) {
    return cause instanceof ApiError ? cause.kind : 'another error'
  }
}

describe('the head of a request', () => {
  test('is read with its target as it came, and where its body begins', () => {
    const text = "POST /v1/{id}?q='a' HTTP/1.1\r\nHost: a\r\nX-A: one\r\nx-a:\ttwo \r\nContent-Length: 2\r\n\r\n"
    const head = read(`${text}{}`)
    expect(head).toMatchObject({
      method: 'POST',
      target: "/v1/{id}?q='a'",
      isHttp10: false,
      bodyBytes: 2,
      end: text.length,
    })
    expect(head?.request.headers.get('x-a')).toBe('one, two')
    expect(new URL(head?.request.url ?? '').pathname).toBe('/v1/%7Bid%7D')
  })

  test('is waited for until its empty line, however it is cut', () => {
    const text = 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'
    for (let at = 0; at < text.length; at += 1) expect(read(text.slice(0, at))).toBeUndefined()
    expect(read(text)).toMatchObject({ isHttp10: true, bodyBytes: 0 })
  })

  test('may have one empty line before it, left over from the last body', () => {
    expect(read('\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n')).toMatchObject({ method: 'GET', end: 29 })
  })

  test('tells a chunked body', () => {
    expect(read('POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n')?.bodyBytes).toBe(CHUNKED)
  })

  test('without headers is one: the Host is asked for by the guard', () => {
    expect(read('GET / HTTP/1.1\r\n\r\n')).toMatchObject({ bodyBytes: 0 })
  })

  test.each([
    ['GET /a b HTTP/1.1\r\n\r\n', 'invalid_target'],
    ['GET /é HTTP/1.1\r\n\r\n', 'invalid_target'],
    ['GET / HTTP/1.2\r\n\r\n', 'malformed_request'],
    ['get / HTTP/1.1\r\n\r\n', 'method_not_allowed'],
    ['FOO / HTTP/1.1\r\n\r\n', 'method_not_allowed'],
    ['G@T / HTTP/1.1\r\n\r\n', 'method_not_allowed'],
    ['GET / HTTP/1.1\r\nA: \x7f\r\n\r\n', 'invalid_header'],
    ['GET / HTTP/1.1\r\nA b: c\r\n\r\n', 'malformed_request'],
    ['GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n', 'malformed_request'],
    ['GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n', 'malformed_request'],
    ['GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 'malformed_request'],
    ['GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 'malformed_request'],
    [`GET /${'a'.repeat(17_000)}`, 'headers_too_large'],
  ])('%j is refused, at once: %s', (text, kind) => {
    expect(kindOf(text)).toBe(kind)
  })

  test.each([
    ['G\n', 'method_not_allowed'],
    ['B', 'method_not_allowed'],
    ['GETS', 'method_not_allowed'],
    ['\x16', 'method_not_allowed'],
    ['\r\n\r\n', 'method_not_allowed'],
    ['\rG', 'method_not_allowed'],
    ['GET /a\r', 'malformed_request'],
    ['GET  ', 'invalid_target'],
    ['GET /a b', 'invalid_target'],
    ['GET /\x00', 'invalid_target'],
    ['GET / HTTP/2', 'malformed_request'],
    ['GET / HTTP/1.1\n', 'malformed_request'],
    ['GET / HTTP/1.1\rA', 'malformed_request'],
    ['GET / HTTP/1.1\r\nA: b\n', 'malformed_request'],
    ['GET / HTTP/1.1\r\nA: b\rC', 'malformed_request'],
    ['GET / HTTP/1.1\r\nA: b\r\r', 'malformed_request'],
    ['GET / HTTP/1.1\r\nA\r', 'malformed_request'],
    ['GET / HTTP/1.1\r\n ', 'malformed_request'],
    ['GET / HTTP/1.1\r\nA: b\r\n\t', 'malformed_request'],
    ['GET / HTTP/1.1\r\nA ', 'malformed_request'],
    ['GET / HTTP/1.1\r\nA: \x00', 'invalid_header'],
    ['POST / HTTP/1.1\r\nContent-Length: x\r\n', 'malformed_request'],
    ['POST / HTTP/1.1\r\nContent-Length: 1\r\nA: b\r\ncontent-length: 1\r\n', 'malformed_request'],
    ['POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n', 'malformed_request'],
    ['POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n', 'malformed_request'],
    ['POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n', 'malformed_request'],
    ['POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n', 'malformed_request'],
  ])('%j is refused before more of it has come, and with no byte less: %s', (text, kind) => {
    expect(kindOf(text, readDripping)).toBe(kind)
    expect(kindOf(text.slice(0, -1), readDripping)).toBeUndefined()
  })

  test('is right up to any of its bytes, where all of it is', () => {
    const head = 'POST /v1/a?b={c} HTTP/1.0\r\nHost: a\r\nX: \xe9\t"\r\nContent-Length: 2\r\nY:\r\n\r\n'
    expect(() => readDripping(head)).not.toThrow()
    expect(() =>
      readDripping(`\r\n${head.replace('Content-Length: 2', 'Transfer-Encoding: Chunked').replace('1.0', '1.1')}`),
    ).not.toThrow()
  })
})
