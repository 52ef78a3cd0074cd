import { describe, expect, test } from 'bun:test'
import { checkCassette } from '../../../src/cassettes/cassette.ts'

const request = { method: 'POST', path: '/v1/chat/completions', body: { json: { model: 'm' } } }
const good = { cassette: 1, request, response: { status: 200, body: { text: 'a' } } }

describe('a cassette', () => {
  test('is taken as it is where it fits', () => {
    expect(checkCassette(good)).toBe(good as never)
    const stream = {
      status: 200,
      after_ms: 3,
      headers: { a: 'b' },
      events: [
        { at_ms: 0.5, text: 'a' },
        { at_ms: 1, base64: '/w==' },
      ],
    }
    const full = { ...good, recorded_at: '2026', request: { ...request, query: 'a=1', headers: {} }, response: stream }
    expect(checkCassette(full)).toBe(full as never)
    const bare = { cassette: 1, request: { method: 'GET', path: '/v1/models' }, response: { status: 204 } }
    expect(checkCassette(bare)).toBe(bare as never)
  })

  test('may have null as its body', () => {
    const ofNull = { ...good, request: { ...request, body: { json: null } } }
    expect(checkCassette(ofNull)).toBe(ofNull as never)
  })

  const problems: readonly [string, unknown, string, string][] = [
    ['no object', [], '', 'expected object'],
    ['another version', { ...good, cassette: 2 }, 'cassette', 'expected 1'],
    ['no request', { cassette: 1, response: good.response }, 'request', 'expected required property'],
    [
      'a method in lower case',
      { ...good, request: { ...request, method: 'post' } },
      'request.method',
      "match '^[A-Z]+$'",
    ],
    ['a path without a slash', { ...good, request: { ...request, path: 'v1' } }, 'request.path', "match '^/'"],
    ['a status of a text', { ...good, response: { status: '200' } }, 'response.status', 'expected integer'],
    ['a name with a slash', { ...good, 'a/b~c': 1 }, 'a/b~c', 'unexpected property'],
    ['an unknown name', { ...good, response: { status: 200, bodi: {} } }, 'response.bodi', 'unexpected property'],
    [
      'a negative time',
      { ...good, response: { status: 200, events: [{ at_ms: -1, text: '' }] } },
      'response.events[0].at_ms',
      'greater or equal to 0',
    ],
    [
      'two forms of a body',
      { ...good, request: { ...request, body: { json: 1, text: '1' } } },
      'request.body',
      'exactly one of json, text, base64, parts',
    ],
    [
      'no form of a body',
      { ...good, response: { status: 200, body: { newline: true } } },
      'response.body',
      'exactly one of json, text, base64',
    ],
    [
      'a body and events',
      { ...good, response: { status: 200, body: { text: '' }, events: [] } },
      'response',
      'not both',
    ],
    [
      'base64 that is none',
      { ...good, request: { ...request, body: { base64: '%' } } },
      'request.body.base64',
      'expected base64',
    ],
    [
      'base64 that is none',
      { ...good, response: { status: 200, body: { base64: '%' } } },
      'response.body.base64',
      'expected base64',
    ],
    [
      'base64 that is none',
      {
        ...good,
        response: {
          status: 200,
          events: [
            { at_ms: 0, text: '' },
            { at_ms: 0, base64: 'a' },
          ],
        },
      },
      'response.events[1].base64',
      'expected base64',
    ],
    [
      'an event without a form',
      { ...good, response: { status: 200, events: [{ at_ms: 0 }] } },
      'response.events[0]',
      'exactly one of text, base64',
    ],
  ]

  test.each(problems)('with %s is a problem with its path', (_what, value, path, wrong) => {
    expect(checkCassette(value)).toEqual([{ path, wrong: expect.stringContaining(wrong) }])
  })

  test('with several problems has all of them, one for each place', () => {
    const value = { cassette: 1, request: { method: 'get', path: 'x' }, response: { status: 1 } }
    const found = checkCassette(value)
    const places = ['request.method', 'request.path', 'response.status']
    expect(found).toEqual(places.map((path) => ({ path, wrong: expect.any(String) })) as never)
  })
})
