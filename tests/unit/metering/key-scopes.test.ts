import { expect, test } from 'bun:test'
import { missingScope } from '../../../src/metering/key-scopes.ts'

test('a scope permits what OpenAI’s scope of that name does, and no other request', () => {
  for (const [scopes, method, path, missing] of [
    [['api.all'], 'DELETE', 'files/file-1', undefined],
    [['api.all.read'], 'GET', 'files', undefined],
    [['api.all.read'], 'POST', 'files', 'api.files.write'],
    [['api.all.read'], 'POST', 'chat/completions', 'api.model.request'],
    [['api.model.request'], 'POST', 'chat/completions', undefined],
    [['model.request'], 'POST', 'embeddings', undefined],
    [['api.model.images.request'], 'POST', 'images/generations', undefined],
    [['api.model.images.request'], 'POST', 'audio/speech', 'api.model.request'],
    [['api.model.request'], 'POST', 'responses', undefined],
    [['api.responses.write'], 'POST', 'responses', undefined],
    [['api.responses.write'], 'GET', 'responses/resp_1', undefined],
    [['api.model.request'], 'GET', 'models', 'api.model.read'],
    [['api.model.read'], 'GET', 'models/gpt-4o', undefined],
    [['api.files.read'], 'GET', 'files/file-1/content', undefined],
    [['api.files.read'], 'DELETE', 'files/file-1', 'api.files.write'],
    [['api.files.read', 'api.batches.write'], 'POST', 'batches', undefined],
    [['api.nonsense'], 'POST', 'chat/completions', 'api.model.request'],
  ] as const)
    expect([scopes, method, path, missingScope(scopes, method, path)]).toEqual([scopes, method, path, missing])
})
