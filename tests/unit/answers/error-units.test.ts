import { describe, expect, test } from 'bun:test'
import { endsUnit, isErrorUnit, type UnitKind, unitEnds, unitKindOf } from '../../../src/answers/error-units.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

test.each<readonly [string | null, UnitKind | undefined]>([
  ['text/event-stream', 'events'],
  ['Text/Event-Stream; charset=utf-8', 'events'],
  ['application/x-ndjson', 'lines'],
  ['application/jsonl', 'lines'],
  ['application/json-seq', 'lines'],
  ['application/json', 'whole'],
  ['application/problem+json', 'whole'],
  ['text/plain', 'whole'],
  ['', 'whole'],
  [null, 'whole'],
  ['audio/mpeg', undefined],
  ['text/html', undefined],
  ['application/octet-stream', undefined],
])('an answer of type %p is looked through by %p', (type, kind) => {
  expect(unitKindOf(type)).toBe(kind as UnitKind)
})

describe('where units end', () => {
  test.each<readonly [UnitKind, string, readonly number[]]>([
    ['events', 'data: 1\n\ndata: 2\n\n', [9, 18]],
    ['events', 'data: 1\r\n\r\ndata: 2\r\r', [11, 20]],
    ['events', 'a\n\r\nb', [4]],
    ['events', 'data: 1\ndata: 2\n', []],
    ['lines', '{"a":1}\n{"b":2}\n{', [8, 16]],
    ['whole', '{"a":1}\n\n', []],
  ])('of %s %j', (kind, text, ends) => {
    expect(unitEnds(bytes(text), kind)).toEqual([...ends])
  })

  test.each<readonly [UnitKind, string, boolean]>([
    ['events', 'data: 1\n\n', true],
    ['events', 'data: 1\r\n\r\n', true],
    ['events', 'data: 1\r\r', true],
    ['events', 'data: 1\n', false],
    ['events', 'data: 1\r\n', false],
    ['events', '', false],
    ['lines', '{}\n', true],
    ['lines', '{}', false],
    ['whole', '{}\n\n', false],
  ])('%s that end with %j end there: %p', (kind, text, isEnd) => {
    expect(endsUnit(bytes(text), kind)).toBe(isEnd)
  })
})

describe('a unit reports a failure', () => {
  test.each<readonly [UnitKind, string]>([
    ['whole', '{"error":{"message":"no"}}'],
    ['whole', '  {"error":"no"}'],
    ['whole', '{"type":"error","message":"no"}'],
    ['whole', '{"success":false}'],
    ['whole', '{"ok":false,"data":[1]}'],
    ['whole', '{"detail":"Unauthorized"}'],
    ['whole', '{"msg":"no such model"}'],
    ['whole', '{"errors":["no"]}'],
    ['whole', '{"id":"r","status":"failed"}'],
    ['lines', '{"error":"no"}\n'],
    ['events', 'data: {"error":{"message":"no"}}\n\n'],
    ['events', 'event: error\ndata: it broke\n\n'],
    ['events', 'event: response.failed\ndata: {"response":{}}\n\n'],
    ['events', '{"error":{"message":"without a stream around it"}}'],
    ['whole', 'data: {"choices":[]}\n\ndata: {"error":"no"}\n\n'],
  ])('in %s: %j', (kind, text) => {
    expect(isErrorUnit(bytes(text), kind)).toBe(true)
  })

  test.each<readonly [UnitKind, string]>([
    ['whole', '{"id":"c","choices":[{"message":{"content":"error"}}]}'],
    ['whole', '{"id":"c","message":"this is what was asked for"}'],
    ['whole', '{"data":[],"detail":"high"}'],
    ['whole', '{"message":null}'],
    ['whole', '["error"]'],
    ['whole', '{"error":'],
    ['whole', 'error: plain words of a transcription'],
    ['lines', 'error'],
    ['events', 'data: {"choices":[{"delta":{"content":"{\\"error\\":1}"}}]}\n\n'],
    ['events', ': error\n\n'],
    ['events', 'data: [DONE]\n\n'],
  ])('and none in %s: %j', (kind, text) => {
    expect(isErrorUnit(bytes(text), kind)).toBe(false)
  })
})
