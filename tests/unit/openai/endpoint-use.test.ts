import { describe, expect, test } from 'bun:test'
import { ENDPOINT_TABLE } from '../../../src/openai/endpoint-table.ts'
import { callAt, endpointUse, useOfRequest } from '../../../src/openai/endpoint-use.ts'

describe('each endpoint is what its row of the table says', () => {
  test.each(
    ENDPOINT_TABLE.flatMap((row) =>
      row.paths.map(
        (path) =>
          [row.method, path.replaceAll(/\{(?:(\w+-)…|\w+)\}/g, '$1Ab1').replace('**', 'x/y'), row.kind] as const,
      ),
    ),
  )('%s %s: %s', (method, path, kind) => {
    expect(endpointUse(method === 'any' ? 'POST' : method, `/v1/${path}`).kind).toBe(kind)
  })
})

describe('a call is counted as what it is, at whatever path and by whatever method', () => {
  test.each([
    ['POST', '/v1/chat/completions?api-version=1', 'chat/completions', 'open'],
    ['POST', '/chat/completions', 'chat/completions', 'open'],
    ['POST', '/v1//chat//completions/', 'chat/completions', 'open'],
    ['POST', '/v1/Chat/Completions', 'chat/completions', 'open'],
    ['POST', '/v1/ch%61t/completions', 'chat/completions', 'open'],
    ['POST', '/v1/chat/completions;x=1', 'chat/completions', 'open'],
    ['POST', '/v1/engines/gpt-4o/completions', 'completions', 'open'],
    ['POST', '/v1/engines/gpt-4o/chat/completions', 'chat/completions', 'open'],
    ['POST', '/v1/deployments/gpt-4o/chat/completions', 'chat/completions', 'open'],
    ['POST', '/v1/openai/deployments/gpt-4o/audio/speech', 'audio/speech', 'open'],
    ['POST', '/v1/beta/completions', 'completions', 'open'],
    ['POST', '/v1/anything/chat/completions', 'chat/completions', 'open'],
    ['POST', '/v1/models/gpt-4o:generateContent', 'models', 'closed'],
    ['POST', '/v1/model/anthropic.claude/converse', 'other', 'closed'],
    ['POST', '/v1/completions/gpt-4o', 'completions', 'closed'],
    ['POST', '/v1/chat/completions/gpt-4o', 'chat/completions', 'closed'],
    ['POST', '/v1/responses/responses', 'responses', 'closed'],
    ['POST', '/v1/files/chat/completions', 'chat/completions', 'open'],
    ['PUT', '/v1/chat/completions', 'chat/completions', 'closed'],
    ['PATCH', '/v1/embeddings', 'embeddings', 'closed'],
    ['QUERY', '/v1/responses', 'responses', 'closed'],
  ])('%s %s is %s: %s', (method, target, name, state) => {
    const use = endpointUse(method, target)
    expect([use.counted, use.name, use.why === undefined ? 'open' : 'closed']).toEqual(['call', name, state])
  })

  test('the body of a GET may be one', () => {
    const request = (method: string, requestTarget: string, body: unknown) =>
      useOfRequest({ request: { method }, requestTarget, isUpgrade: false, body })
    expect(request('GET', '/v1/chat/completions', undefined)).toMatchObject({ kind: 'free', counted: 'nothing' })
    expect(request('GET', '/v1/chat/completions', {})).toMatchObject({ kind: 'closed', counted: 'call' })
    expect(request('GET', '/v1/files', {})).toMatchObject({ kind: 'free' })
  })
})

test('what nobody knows is closed, and booked by what it tells where it makes anything', () => {
  expect(endpointUse('POST', '/v1/nobody/knows')).toMatchObject({ kind: 'closed', counted: 'told', name: 'other' })
  expect(endpointUse('GET', '/v1/nobody/knows')).toMatchObject({ kind: 'closed', counted: 'nothing' })
  expect(endpointUse('POST', '/v1/vector_stores')).toMatchObject({
    kind: 'closed',
    counted: 'told',
    name: 'vector_stores',
  })
  expect(endpointUse('DELETE', '/v1/vector_stores/vs_1')).toMatchObject({ kind: 'closed', counted: 'nothing' })
  expect(endpointUse('HEAD', '/v1/models')).toMatchObject({ kind: 'free' })
})

test('an endpoint has its kind of usage by its name in the books', () => {
  expect(callAt('audio/speech')?.usage).toBe('audio_speeches')
  expect(callAt('images/edits')?.usage).toBe('images')
  expect(callAt('vector_stores')?.usage).toBeUndefined()
})
