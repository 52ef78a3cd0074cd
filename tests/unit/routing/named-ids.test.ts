import { describe, expect, test } from 'bun:test'
import { namedIds, pathOf } from '../../../src/routing/named-ids.ts'

describe('the ids in a path and its query', () => {
  test.each([
    ['/v1/responses/resp_1/cancel', ['resp_1']],
    ['/v1/responses/resp_67cb/input_items?after=msg_9&limit=20&order=asc', ['resp_67cb', 'msg_9']],
    ['files/file-1/content', ['file-1']],
    ['/files/file-1', ['file-1']],
    ['files/abcdefgh', ['abcdefgh']],
    ['/v1/threads/thread_abc/runs/run_123/steps', ['thread_abc', 'run_123']],
    ['/v1/containers/cntr_682e/files/cfile_1', ['cntr_682e', 'cfile_1']],
    ['/v1/responses/resp_YWJj%3D%3D', ['resp_YWJj==']],
    ['/v1/responses/resp_YWJj==', ['resp_YWJj==']],
    ['/v1/responses/resp_a%2Fb%2Bc', ['resp_a/b+c']],
    ['/v1/responses/resp_%zz', ['resp_%zz']],
    ['/v1/realtime?call_id=rtc_1', ['rtc_1']],
    ['/v1/files?purpose=batch&after=file-1', ['file-1']],
    ['/v1/things?file_ids[]=file-1&id=x%3D', ['file-1', 'x=']],
    ['/v1/chat/completions', []],
    ['/v1/chat/completions/chatcmpl-1/messages', ['chatcmpl-1']],
    ['/v1/fine_tuning/jobs/ftjob-1/checkpoints', ['ftjob-1']],
    ['/v1/vector_stores', []],
    ['/v1/files', []],
    ['', []],
    [`/v1/files/file-${'x'.repeat(320)}`, [`file-${'x'.repeat(320)}`]],
    [`/v1/files/file-${'x'.repeat(5000)}`, []],
  ])('%s: %j', (path, ids) => {
    expect(namedIds(pathOf(path), undefined)).toEqual({ certain: ids, possible: [] })
  })
})

describe('the ids in a body', () => {
  test.each<[unknown, string[]]>([
    [{ previous_response_id: 'resp_1' }, ['resp_1']],
    [{ conversation: 'conv_1' }, ['conv_1']],
    [{ conversation: { id: 'conv_1' } }, ['conv_1']],
    [{ input_file_id: 'file-1' }, ['file-1']],
    [{ file_ids: ['file-1', 'file-2'] }, ['file-1', 'file-2']],
    [{ training_file: 'file-1', validation_file: 'file-2' }, ['file-1', 'file-2']],
    [{ thread_id: 'thread_1', assistant_id: 'asst_1' }, ['thread_1', 'asst_1']],
    [{ batch_id: 'batch_1' }, ['batch_1']],
    [{ container: 'cntr_1' }, ['cntr_1']],
    [{ images: [{ file_id: 'file-1' }] }, ['file-1']],
    [{ part_ids: ['part_1'] }, ['part_1']],
    [{ tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }, { container: 'cntr_1' }] }, ['vs_1', 'cntr_1']],
    [{ tools: [{ type: 'code_interpreter', container: { type: 'auto', file_ids: ['file-1'] } }] }, ['file-1']],
    [{ tool_resources: { code_interpreter: { file_ids: ['file-1'] } } }, ['file-1']],
    [{ messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] }, ['file-1']],
    [{ messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] }, ['audio_1']],
    [{ input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] }, ['file-1']],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, ['msg_1']],
    [{ input: [{ id: 'rs_1' }] }, ['rs_1']],
    [{ data_source: { source: { type: 'file_id', id: 'file-1' } } }, ['file-1']],
    [{ tools: [{ vector_store_ids: ['vs_1'] }], previous_response_id: 'resp_1' }, ['resp_1', 'vs_1']],
  ])('%j', (body, ids) => {
    expect(namedIds('responses', body).certain).toEqual(ids)
  })

  test.each<unknown>([
    null,
    'resp_1',
    {},
    { previous_response_id: null, conversation: 5, container: { type: 'auto' }, vector_store_ids: [] },
    { previous_response_id: 'x'.repeat(5000) },
    { metadata: { file_id: 'file-1', id: 'resp_1' } },
    { tools: [{ type: 'function', function: { name: 'f', parameters: { file_id: 'file-1' } } }] },
    { messages: [{ role: 'tool', tool_call_id: 'call_1', content: '{"file_id":"file-1"}' }] },
  ])('are none in %j', (body) => {
    expect(namedIds('responses', body)).toEqual({ certain: [], possible: [] })
  })

  test('may be those of items that are sent anew', () => {
    const body = { input: [{ type: 'reasoning', id: 'rs_1', summary: [] }] }
    expect(namedIds('responses', body)).toEqual({ certain: [], possible: ['rs_1'] })
  })

  test('come behind those of the path', () => {
    expect(namedIds('threads/thread_1/runs', { assistant_id: 'asst_1' }).certain).toEqual(['thread_1', 'asst_1'])
  })

  test('are looked for in a body of any depth and size, in bounded time', () => {
    let deep: unknown = { file_id: 'file-1' }
    for (let depth = 0; depth < 10_000; depth += 1) deep = [deep]
    expect(namedIds('responses', { input: deep }).certain).toEqual([])
    const wide = { input: Array.from({ length: 200_000 }, () => ({ type: 'x' })) }
    expect(namedIds('responses', wide).certain).toEqual([])
  })
})
