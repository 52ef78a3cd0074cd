import { describe, expect, test } from 'bun:test'
import type { CassetteRequest } from '../../../src/cassettes/cassette.ts'
import { readIgnored, requestKey } from '../../../src/cassettes/request-key.ts'
import { parseExact } from '../../../src/formats/json/exact.ts'

const idOf = (request: Partial<CassetteRequest>, ignore?: string): string =>
  requestKey({ method: 'POST', path: '/v1/chat/completions', ...request }, readIgnored(ignore)).id
const idOfJson = (text: string, ignore?: string): string => idOf({ body: { json: parseExact(text) } }, ignore)

describe('two requests are alike', () => {
  test('whatever the order of names and the white space', () => {
    expect(idOfJson('{"model":"m","n":1}')).toBe(idOfJson('{ "n": 1, "model": "\\u006d" }'))
  })

  test('whatever their headers, and whether /v1 stands in front', () => {
    expect(idOf({ path: '/chat/completions', headers: { accept: 'a' } })).toBe(idOf({}))
  })

  test('whatever the order of the parameters in the query, and how they are written', () => {
    expect(idOf({ query: 'b=2&a=%31' })).toBe(idOf({ query: 'a=1&b=2' }))
    expect(idOf({ query: 'a=1&a=2' })).not.toBe(idOf({ query: 'a=2&a=1' }))
  })

  test('whether JSON was kept as JSON or as text', () => {
    expect(idOf({ body: { text: '{"a": 1}' } })).toBe(idOfJson('{"a":1}'))
  })

  test('whatever the order of a form’s parts, and the names that come several times', () => {
    const [a, b, c] = [
      { name: 'a', text: '1' },
      { name: 'b', filename: 'f', sha256: 'aa' },
      { name: 'a', text: '2' },
    ]
    expect(idOf({ body: { parts: [a, b, c] } })).toBe(idOf({ body: { parts: [b, a, c] } }))
    expect(idOf({ body: { parts: [c, a] } })).not.toBe(idOf({ body: { parts: [a, c] } }))
  })

  test.each([
    ['the method', { method: 'GET' }],
    ['the path', { path: '/v1/completions' }],
    ['the query', { query: 'a=1' }],
    ['a body that is there', { body: { json: null } }],
    ['a text', { body: { text: 'a' } }],
    ['bytes', { body: { base64: 'AAAA' } }],
    ['a file', { body: { parts: [{ name: 'a', sha256: 'aa' }] } }],
    ['another file', { body: { parts: [{ name: 'a', sha256: 'bb' }] } }],
  ] as const)('but not where %s differs', (_what, request) => {
    expect(idOf(request as Partial<CassetteRequest>)).not.toBe(idOf({}))
  })

  test('but not where a number is written differently', () => {
    expect(idOfJson('{"seed":9007199254740993}')).not.toBe(idOfJson('{"seed":9007199254740992}'))
    expect(idOfJson('{"top_p":1.0}')).not.toBe(idOfJson('{"top_p":1}'))
  })
})

describe('what is ignored', () => {
  const bare = idOfJson('{"model":"m"}')

  test('is what differs from run to run, unless it is taken off the list', () => {
    const text = '{"model":"m","user":"u","metadata":{"a":1},"safety_identifier":"s","prompt_cache_key":"p"}'
    expect(idOfJson(text)).toBe(bare)
    expect(idOfJson(text, '-metadata')).toBe(idOfJson('{"model":"m","metadata":{"a":1}}', '-metadata'))
    expect(idOfJson(text, '-metadata')).not.toBe(bare)
  })

  test('is only what stands at the top, where nothing else is said', () => {
    expect(idOfJson('{"model":"m","tool":{"user":"u"}}')).not.toBe(idOfJson('{"model":"m","tool":{}}'))
  })

  test('may be named in addition, by its way, with * for any one step', () => {
    expect(idOfJson('{"model":"m","seed":1}', ' seed , x.y')).toBe(bare)
    const named = (name: string) => `{"messages":[{"role":"user","name":"${name}"},{"name":1}],"a":{"b":{"c":1}}}`
    expect(idOfJson(named('a'), 'messages.*.name')).toBe(idOfJson(named('b'), 'messages.*.name'))
    expect(idOfJson(named('a'), 'messages.1.name')).not.toBe(idOfJson(named('b'), 'messages.1.name'))
    expect(idOfJson('{"a":{"b":{"c":1},"d":2}}', 'a.b.c')).toBe(idOfJson('{"a":{"b":{},"d":2}}', 'a.b.c'))
  })

  test('is what Codex sends anew in each run, but not the id of an item that is referred to', () => {
    const run = (id: string) =>
      `{"model":"m","client_metadata":{"turn":"${id}"},"input":[{"id":"${id}","type":"message","role":"user","content":"hi","internal_chat_message_metadata_passthrough":{"turn_id":"${id}"}}]}`
    expect(idOfJson(run('a'))).toBe(idOfJson(run('b')))
    expect(idOfJson(run('a'), '-input.*.id')).not.toBe(idOfJson(run('b'), '-input.*.id'))
    const reference = (id: string) => `{"model":"m","input":[{"id":"${id}","type":"item_reference"}]}`
    expect(idOfJson(reference('msg_a'))).not.toBe(idOfJson(reference('msg_b')))
  })

  test('may be what a pattern finds in texts, however deep, and in no name', () => {
    const idBlanked = (text: string): string =>
      requestKey(
        { method: 'POST', path: '/v1/responses', body: { json: parseExact(text) } },
        readIgnored('', [/\d+ ms/gu]),
      ).id
    const output = (ms: string, name = 'output') => `{"input":[{"${name}":[{"text":"took ${ms} and ${ms}"}]}],"n":7}`
    expect(idBlanked(output('12 ms'))).toBe(idBlanked(output('345 ms')))
    expect(idBlanked(output('12 s'))).not.toBe(idBlanked(output('345 s')))
    expect(idBlanked(output('1 ms', '1 ms'))).not.toBe(idBlanked(output('1 ms', '2 ms')))
  })

  test('may be a field of a form', () => {
    const file = { name: 'file', sha256: 'aa' }
    expect(idOf({ body: { parts: [file, { name: 'user', text: 'u' }] } })).toBe(idOf({ body: { parts: [file] } }))
  })
})
