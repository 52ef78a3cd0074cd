import { describe, expect, test } from 'bun:test'
import { isJsonWithin, refuseWrongKind, wrongKindOf } from '../../../src/answers/answer-kind.ts'
import type { Exchange } from '../../../src/exchange/exchange.ts'
import { CHAT_COMPLETIONS } from '../../../src/openai/endpoints.ts'

const exchangeOf = (requestTarget: string, accept?: string, endpoint?: Exchange['endpoint']): Exchange => {
  const facts: Pick<Exchange, 'request' | 'requestTarget' | 'endpoint'> = {
    request: new Request('http://x', accept === undefined ? {} : { headers: { accept } }),
    requestTarget,
    endpoint,
  }
  return facts as Exchange
}
const answerOf = (status: number, type?: string) =>
  new Response(null, { status, ...(type !== undefined && { headers: { 'content-type': type } }) })

describe('the kind of an answer', () => {
  const chat = exchangeOf('/v1/chat/completions', undefined, CHAT_COMPLETIONS)

  test.each([
    [answerOf(200, 'text/html; charset=utf-8'), 'a text/html page'],
    [answerOf(200, 'TEXT/HTML'), 'a text/html page'],
    [answerOf(302), 'a 302 redirect'],
    [answerOf(304), 'a 304 redirect'],
    [answerOf(200, 'application/json'), undefined],
    [answerOf(200), undefined],
    // A page with an error's status says no more than the status.
    [answerOf(502, 'text/html'), undefined],
    [answerOf(404), undefined],
  ])('of a completion: %#', (answer, found) => {
    expect(wrongKindOf(chat, answer)).toBe(found as string)
  })

  test('of what passes through is wrong only for a caller who asks for JSON', () => {
    const page = answerOf(200, 'text/html')
    expect(wrongKindOf(exchangeOf('/v1/models'), page)).toBeUndefined()
    expect(wrongKindOf(exchangeOf('/v1/models', 'application/json'), page)).toBe('a text/html page')
    expect(wrongKindOf(exchangeOf('/v1/models'), answerOf(302))).toBeUndefined()
  })

  test('of a file’s content may be a page, whatever the caller’s Accept names', () => {
    const page = answerOf(200, 'text/html')
    expect(wrongKindOf(exchangeOf('/v1/files/f/content', 'application/json'), page)).toBeUndefined()
  })

  test('that is wrong is refused as the upstream’s fault, with the kind as the cause', () => {
    expect(() => refuseWrongKind(chat, answerOf(301))).toThrow(
      expect.objectContaining({ kind: 'upstream_invalid_response', cause: 'upstream answered with a 301 redirect' }),
    )
    refuseWrongKind(chat, answerOf(200))
  })
})

test.each([
  ['application/json', '100', true],
  ['application/vnd.api+json', '99', true],
  ['application/json', '101', false],
  ['application/json', undefined, false],
  ['text/event-stream', '10', false],
])('an answer of type %s and length %p is short JSON: %p', (type, length, isShort) => {
  const headers = new Headers({ 'content-type': type, ...(length !== undefined && { 'content-length': length }) })
  expect(isJsonWithin(headers, 100)).toBe(isShort)
})
