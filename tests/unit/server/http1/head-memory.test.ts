import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ApiError } from '../../../../src/openai/api-error.ts'
import { createHeadMemories, HeadMemory } from '../../../../src/server/http1/head-memory.ts'
import { readRequestHead } from '../../../../src/server/http1/request-head.ts'
import { requestHeaders } from '../../../../src/upstream/headers.ts'

/** All that a head tells, or the error that refuses it. */
function read(text: string, memory?: HeadMemory): unknown {
  try {
    const head = readRequestHead(Buffer.from(text, 'latin1'), memory)
    if (head === undefined) return undefined
    const { request, ...facts } = head
    return { ...facts, url: request.url, requestMethod: request.method, headers: [...request.headers] }
  } catch (cause) {
    return cause instanceof ApiError ? cause.kind : cause
  }
}

const HEAD = 'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nX-A: 12\r\n\r\n'
/** Changes of a head, among them such as a smuggler would make. */
const CHANGES: readonly (readonly [string, string])[] = [
  ...[
    '12',
    '13',
    '',
    '0',
    '007',
    '12, 13',
    '1 2',
    '+1',
    '-1',
    '1'.repeat(16),
    '12\r\nX: 1',
    '12\r\nContent-Length: 2',
  ].map((length) => ['Content-Length: 12', `Content-Length: ${length}`] as const),
  ['Content-Length: 12\r\n', ''],
  ['Content-Length: 12\r\n', 'Transfer-Encoding: chunked\r\n'],
  ['Content-Length: 12\r\n', 'Content-Length: 12\r\nTransfer-Encoding: chunked\r\n'],
  ['chunked', 'gzip'],
  ['chunked', 'chunked, chunked'],
  ['Content-Length', 'content-length'],
  ['X-A: 12', 'X-A: 13'],
  ['X-A: 12', 'X-A: '],
  ['X-A: 12\r\n', ''],
  ['X-A: 12', 'Content-Length: 12'],
  ['X-A: 12', 'Connection: close'],
  ['close', 'keep-alive'],
  ['X-A: 12', 'X-A: 12\r\nX-B: 1\r\nx-a: 13'],
  ['X-A: 12', 'X-A: \x7f'],
  ['Host: a', 'Host: b'],
  ['/v1/chat', '/chat'],
  ['/v1/chat', '//v1/chat'],
  ['POST', 'GET'],
  ['POST', 'get'],
  ['HTTP/1.1', 'HTTP/1.0'],
  ['POST', '\r\nPOST'],
]

const head = fc
  .subarray([...CHANGES], { maxLength: 4 })
  .map((changes) => changes.reduce((text, [from, to]) => text.replace(from, to), HEAD))

/** Bytes that end lines, names and values, and some that may stand nowhere. */
const BYTES = ['\r', '\n', '\r\n', ':', ' ', '\t', ',', '0', 'a', '\x00', '\x7f', '\xff']
const marred = fc
  .tuple(fc.nat(HEAD.length - 4), fc.nat(2), fc.constantFrom(...BYTES))
  .map(([at, cut, bytes]) => HEAD.slice(0, at) + bytes + HEAD.slice(at + cut))

describe('a head that is remembered', () => {
  test('is read as if none were, whatever came before it on the connection', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(HEAD), head, marred), { minLength: 2, maxLength: 8 }), (heads) => {
        const memory = new HeadMemory()
        for (const text of heads) expect(read(text, memory)).toEqual(read(text))
      }),
      { numRuns: 1000 },
    )
  })

  test('is not found again where a byte of it was put in, left out or changed', () => {
    for (let at = 0; at < HEAD.length - 4; at += 1) {
      for (const cut of [0, 1, 2]) {
        for (const bytes of ['', ...BYTES]) {
          const memory = new HeadMemory()
          read(HEAD, memory)
          const text = HEAD.slice(0, at) + bytes + HEAD.slice(at + cut)
          expect(read(text, memory)).toEqual(read(text))
        }
      }
    }
  })

  test('gives one kind to heads that differ in the length of the body alone', () => {
    const memory = new HeadMemory()
    const kindOf = (from = '', to = '') =>
      readRequestHead(Buffer.from(HEAD.replace(from, to)), memory)?.request.headKind
    expect(kindOf()).toBeUndefined()
    const kind = kindOf()
    expect(kind?.text).toBe('POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length:\r\nX-A: 12\r\n')
    expect(kindOf('Content-Length: 12', 'Content-Length: 7')).toBe(kind)
    expect(kindOf('X-A: 12', 'X-A: 13')).toBeUndefined()
    expect(kindOf()).toBe(kind)
  })

  test('gives each request headers that no other request changes', () => {
    const memory = new HeadMemory()
    const again = () => readRequestHead(Buffer.from(HEAD), memory)?.request.headers ?? new Headers()
    const first = again()
    for (const change of [
      () => first.set('x-a', 'changed'),
      () => first.append('x-b', 'added'),
      () => first.delete('host'),
      () => again().set('x-a', 'changed'),
      () => again().delete('host'),
    ]) {
      expect(change).toThrow(TypeError)
    }
    const copy = new Headers(first)
    copy.set('x-a', 'changed')
    copy.delete('host')
    expect([...again()]).toEqual([
      ['content-length', '12'],
      ['host', 'a'],
      ['x-a', '12'],
    ])
  })

  test('gives a request with other values headers of its own', () => {
    const memory = new HeadMemory()
    const again = (text = HEAD) => readRequestHead(Buffer.from(text), memory)?.request.headers ?? new Headers()
    again()
    const other = again(HEAD.replace('X-A: 12', 'X-A: 13'))
    expect([other.get('x-a'), again().get('x-a')]).toEqual(['13', '12'])
    other.set('x-a', 'changed')
    expect([other.get('x-a'), again().get('x-a')]).toEqual(['changed', '12'])
  })

  test('tells for each request which of its headers cross no proxy', () => {
    const memory = new HeadMemory()
    const wanted = (connection: string, secret: string) => {
      const text = `GET /v1/models HTTP/1.1\r\nhost: a\r\nconnection: ${connection}\r\nx-a: ${secret}\r\nx-b: 1\r\nte: trailers\r\n\r\n`
      const head = readRequestHead(Buffer.from(text), memory)
      return [...requestHeaders(head?.request.headers ?? new Headers())]
    }
    const B: [string, string] = ['x-b', '1']
    for (let times = 0; times < 2; times += 1) {
      expect(wanted('keep-alive', '1')).toEqual([['x-a', '1'], B])
      expect(wanted('keep-alive', '2')).toEqual([['x-a', '2'], B])
      expect(wanted('keep-alive, X-A', '3')).toEqual([B])
      expect(wanted('x-b, @, x-a', '3')).toEqual([])
      expect(wanted('keep-alive', '4')).toEqual([['x-a', '4'], B])
    }
  })

  test('keeps the callers of one connection apart', () => {
    const memory = new HeadMemory()
    const asked = (text: string) => [
      ...requestHeaders(readRequestHead(Buffer.from(text), memory)?.request.headers ?? new Headers()),
    ]
    const one = 'GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer one\r\n\r\n'
    const other = 'GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer two\r\nx-more: 1\r\n\r\n'
    for (let times = 0; times < 40; times += 1) {
      expect(asked(one)).toEqual([['authorization', 'Bearer one']])
      expect(asked(one.replace('one', 'third'))).toEqual([['authorization', 'Bearer third']])
      expect(asked(other)).toEqual([
        ['authorization', 'Bearer two'],
        ['x-more', '1'],
      ])
    }
  })

  test('is one of a fixed number, however many connections are open', () => {
    const memoryFor = createHeadMemories()
    expect(new Set(Array.from({ length: 1000 }, memoryFor)).size).toBe(128)
  })
})
