import { describe, expect, test } from 'bun:test'
import { createRememberedIds, idsIn } from '../../../src/router/remembered-ids.ts'

const HERE = { upstream: 'openai', keyIndex: 1 }
const THERE = { upstream: 'azure', keyIndex: 0 }

describe('remembered ids', () => {
  test('are found again, and the last that was said counts', () => {
    const ids = createRememberedIds()
    expect(ids.find('file-1')).toBeUndefined()
    ids.remember('file-1', HERE)
    expect(ids.find('file-1')).toBe(HERE)
    ids.remember('file-1', THERE)
    expect(ids.find('file-1')).toBe(THERE)
    expect(ids.find('__proto__')).toBeUndefined()
  })

  test('are 10,000: what nobody has asked for the longest is forgotten', () => {
    const ids = createRememberedIds()
    for (let number = 0; number < 10_000; number += 1) ids.remember(`file-${number}`, HERE)
    ids.find('file-0')
    ids.remember('file-1', THERE)
    ids.remember('one-more', HERE)
    ids.remember('two-more', HERE)
    expect(
      ['file-0', 'file-1', 'file-2', 'file-3', 'file-4', 'one-more'].map((id) => ids.find(id) !== undefined),
    ).toEqual([true, true, false, false, true, true])
  })

  test('are not megabytes long', () => {
    const ids = createRememberedIds()
    for (const chars of [256, 257]) ids.remember('x'.repeat(chars), HERE)
    expect(ids.find('x'.repeat(256))).toBe(HERE)
    expect(ids.find('x'.repeat(257))).toBeUndefined()
  })
})

describe('the ids in a path', () => {
  test.each([
    ['/v1/responses/resp_1/cancel', ['resp_1']],
    ['/v1/responses/resp_67cb/input_items?after=msg_9', ['resp_67cb', 'input_items']],
    ['files/file-1/content', ['file-1']],
    ['/files/file-1', ['file-1']],
    ['/v1/threads/thread_abc/runs/run_123/steps', ['thread_abc', 'run_123']],
    ['/v1/containers/cntr_682e/files/cfile_1', ['cntr_682e', 'cfile_1']],
    ['/v1/chat/completions', []],
    ['/v1/vector_stores', []],
    ['/v1/files', []],
    ['', []],
    [`/v1/files/file-${'x'.repeat(300)}`, []],
  ])('%s: %j', (path, ids) => {
    expect(idsIn(path, undefined)).toEqual(ids)
  })
})

describe('the ids in a body', () => {
  test.each([
    [{ previous_response_id: 'resp_1' }, ['resp_1']],
    [{ conversation: 'conv_1' }, ['conv_1']],
    [{ conversation: { id: 'conv_1' } }, ['conv_1']],
    [{ input_file_id: 'file-1' }, ['file-1']],
    [{ file_id: 'file-1' }, ['file-1']],
    [{ file_ids: ['file-1', 'file-2'] }, ['file-1']],
    [{ validation_file: 'file-2', training_file: 'file-1' }, ['file-1', 'file-2']],
    [{ thread_id: 'thread_1', assistant_id: 'asst_1' }, ['thread_1', 'asst_1']],
    [{ vector_store_ids: ['vs_1', 'vs_2'] }, ['vs_1']],
    [{ container: 'cntr_1' }, ['cntr_1']],
    [{ file_id: 'x'.repeat(256) }, ['x'.repeat(256)]],
    [
      {
        tools: [
          { type: 'web_search' },
          { type: 'file_search', vector_store_ids: ['vs_1'] },
          { type: 'code_interpreter', container: 'cntr_1' },
        ],
      },
      ['vs_1', 'cntr_1'],
    ],
  ])('%j', (body, ids) => {
    expect(idsIn('/v1/responses', body)).toEqual(ids)
  })

  test.each([
    null,
    'resp_1',
    ['resp_1'],
    {},
    {
      previous_response_id: null,
      conversation: 5,
      file_id: ['x'],
      vector_store_ids: 'vs_1',
      container: { type: 'auto' },
    },
    { tools: { '*': { container: 'x' } }, vector_store_ids: [] },
    { previous_response_id: 'x'.repeat(257) },
    { metadata: { file_id: 'file-1' } },
  ])('are none in %j', (body) => {
    expect(idsIn('/v1/responses', body)).toEqual([])
  })

  test('come behind those of the path', () => {
    expect(idsIn('/v1/threads/thread_1/runs', { assistant_id: 'asst_1' })).toEqual(['thread_1', 'asst_1'])
  })
})
