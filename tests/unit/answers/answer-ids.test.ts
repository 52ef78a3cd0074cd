import { describe, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { findAnswerIds } from '../../../src/answers/answer-ids.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const SSE = { 'content-type': 'text/event-stream; charset=utf-8' }

/** What is found in an answer that comes in pieces; an id of the answer's own has a `*` behind it. */
async function idsIn(pieces: readonly (string | Uint8Array)[], headers: Record<string, string>): Promise<string[]> {
  const ids: string[] = []
  const found = findAnswerIds(new Headers(headers), (id, isItself) => void ids.push(isItself ? `${id}*` : id))
  for (const piece of pieces) found?.add(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece)
  await found?.end()
  return ids.toSorted()
}

const inJson = (value: unknown): Promise<string[]> => idsIn([JSON.stringify(value)], JSON_TYPE)

describe('the ids in an answer of JSON', () => {
  test.each<[unknown, string[]]>([
    [{ id: 'resp_1234' }, ['resp_1234*']],
    [{ metadata: { id: 'resp_other', file_id: 'file-other' }, id: 'resp_1234' }, ['resp_1234*']],
    [{ id: 'resp_YWJj==' }, ['resp_YWJj==*']],
    [{ id: 'x'.repeat(325) }, [`${'x'.repeat(325)}*`]],
    [{ id: 'a"b\\c\u00e9' }, ['a"b\\cé*']],
    [{ id: 'batch_1', output_file_id: 'file-out', error_file_id: 'file-err' }, ['batch_1*', 'file-err', 'file-out']],
    [{ object: 'list', data: [{ id: 'file-1' }, { id: 'file-2' }] }, ['file-1', 'file-2']],
    [{ output: [{ type: 'code_interpreter_call', id: 'ci_1', container_id: 'cntr_1' }] }, ['ci_1', 'cntr_1']],
    [
      {
        output: [{ content: [{ type: 'output_text', annotations: [{ container_id: 'cntr_1', file_id: 'cfile_1' }] }] }],
      },
      ['cfile_1', 'cntr_1'],
    ],
    [{ conversation: { id: 'conv_1' } }, ['conv_1']],
    [{ result_files: ['file-1', 'file-2'], fine_tuned_model: 'ft:gpt:org::1' }, ['file-1', 'file-2', 'ft:gpt:org::1']],
    [{ tool_resources: { file_search: { vector_store_ids: ['vs_1'] } } }, ['vs_1']],
    [{ file: { id: 'file-made' } }, ['file-made']],
  ])('%j: %j', async (value, ids) => {
    expect(await inJson(value)).toEqual(ids.toSorted())
  })

  test.each<unknown>([
    { id: 'abc' },
    { id: 5, file_id: null, file_ids: [1, {}] },
    { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] },
    { output: [{ type: 'function_call', call_id: 'call_1', arguments: { file_id: 'file-1' } }] },
    { output: [{ content: [{ type: 'output_text', text: '{"file_id":"file-1"}' }] }] },
    { results: [{ attributes: { file_id: 'file-1' } }] },
    { choices: [{ message: { parsed: { file_id: 'file-1' } } }], output_parsed: { id: 'file-1' } },
    { output: [{ type: 'mcp_call', structured_content: { file_id: 'file-1' } }] },
    { choices: [{ message: { tool_calls: [{ id: 'call_1234' }] } }] },
    { data: [{ content: [{ type: 'input_file', file_id: 'file-1' }], role: 'user' }] },
    { data: [{ output: [{ file_id: 'file-1' }], type: 'function_call_output' }] },
    'resp_1234',
    { text: '","id":"resp_1234' },
  ])('are none in %j', async (value) => {
    expect(await inJson(value)).toEqual([])
  })

  test('are found however it is cut, and behind megabytes', async () => {
    const text = JSON.stringify({
      image: 'x\\"y'.repeat(3),
      metadata: { id: 'no-such' },
      é: 1,
      id: 'resp_é"1234',
      to: [],
    })
    const bytes = new TextEncoder().encode(text)
    for (let at = 0; at < bytes.byteLength; at += 1) {
      expect(await idsIn([bytes.subarray(0, at), bytes.subarray(at)], JSON_TYPE)).toEqual(['resp_é"1234*'])
    }
    expect(
      await idsIn(
        Array.from(bytes, (byte) => new Uint8Array([byte])),
        JSON_TYPE,
      ),
    ).toEqual(['resp_é"1234*'])
    expect(await inJson({ result: 'A'.repeat(5_000_000), id: 'resp_1234' })).toEqual(['resp_1234*'])
  })

  test('are told no sooner than the whole is there', async () => {
    expect(await idsIn(['{"id":"resp_1234","a":1'], JSON_TYPE)).toEqual([])
  })

  test('are bounded in number, and depth costs nothing', async () => {
    const many = { data: Array.from({ length: 5000 }, (_, number) => ({ id: `file-${number}` })) }
    expect((await inJson(many)).length).toBe(1000)
    expect(
      await idsIn(['['.repeat(100_000), '{"id":"resp_1234"}', ']'.repeat(100_000), '{"id":"resp_5678"}'], JSON_TYPE),
    ).toEqual(['resp_5678*'])
  })

  test('are looked for in what is no JSON without harm', async () => {
    for (const text of ['}}}]]]', '{"a', '"', '\\', '{"id":"\\x1234"}', '{{{{"id":"x', ',,,:::', '']) {
      expect(await idsIn([text], JSON_TYPE)).toEqual([])
    }
  })
})

describe('the ids in a stream of events', () => {
  const EVENTS =
    ': ping {\n\nevent: response.created\r\ndata: {"type":"response.created","response":{"metadata":{"id":"no-such"},"id":"resp_1234"}}\r\n\r\n' +
    'data: {"item":{"type":"code_interpreter_call",\ndata: "container_id":"cntr_1","id":"ci_1234"}}\n\ndata: [DONE]\n\n'

  test('are found event by event, however it is cut', async () => {
    for (let at = 0; at < EVENTS.length; at += 1) {
      expect(await idsIn([EVENTS.slice(0, at), EVENTS.slice(at)], SSE)).toEqual(['ci_1234', 'cntr_1', 'resp_1234*'])
    }
  })

  test('are found as soon as their event is there, and a broken event spoils only itself', async () => {
    expect(await idsIn(['data: {"response":{"id":"resp_1234"}}'], SSE)).toEqual(['resp_1234*'])
    expect(await idsIn(['data: {"a":{"role":"user"\n\ndata: {"response":{"id":"resp_1234"}}\n\n'], SSE)).toEqual([
      'resp_1234*',
    ])
  })
})

test('the ids in an encoded answer are found once its end has come', async () => {
  const bytes = gzipSync('{"id":"resp_1234"}')
  const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' }
  expect(await idsIn([bytes.subarray(0, 9), bytes.subarray(9)], headers)).toEqual(['resp_1234*'])
  expect(await idsIn(['no gzip'], headers)).toEqual([])
})

test('JSON that is not called so is looked into, too', async () => {
  for (const headers of [
    {},
    { 'content-type': 'text/plain; charset=utf-8' },
    { 'content-type': 'application/vnd.x+json' },
  ]) {
    expect(await idsIn(['{"id":"resp_1234"}'], headers as Record<string, string>)).toEqual(['resp_1234*'])
  }
})

test('there are none in what is neither JSON nor events, or encoded in a way that is not known', () => {
  for (const headers of [
    { 'content-type': 'application/octet-stream' },
    { 'content-type': 'audio/mpeg' },
    { ...JSON_TYPE, 'content-encoding': 'x-y' },
  ]) {
    expect(findAnswerIds(new Headers(headers as Record<string, string>), () => undefined)).toBeUndefined()
  }
})
