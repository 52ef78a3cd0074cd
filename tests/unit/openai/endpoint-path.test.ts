import { expect, test } from 'bun:test'
import { endpointPath, isPlainPath } from '../../../src/openai/endpoint-path.ts'

test.each([
  ['chat/completions', 'chat/completions'],
  ['responses/resp_1/cancel', 'responses/resp_1/cancel'],
  ['Chat/Completions', 'chat/completions'],
  ['ch%61t/completions', 'chat/completions'],
  ['ch%2561t/completions', 'chat/completions'],
  ['chat%2Fcompletions', 'chat/completions'],
  ['/chat//completions/', 'chat/completions'],
  ['chat/completions;a=b/', 'chat/completions'],
  ['chat%3Ba/completions', 'chat/completions'],
  ['v1/chat/completions', 'chat/completions'],
  ['v1/V1/chat/completions', 'chat/completions'],
  ['v1', 'v1'],
  ['beta/completions', 'completions'],
  ['v1beta/openai/chat/completions', 'chat/completions'],
  ['inference/v1/completions', 'completions'],
  ['vector_stores/vs_1', 'vector_stores/vs_1'],
  ['models/caf%C3%A9', 'models/café'],
  ['chat/completions%3Fx=1', 'chat/completions'],
  ['chat/completions%23', 'chat/completions'],
  ['chat/completions%00.png', 'chat/completions'],
  ['chat/completions.', 'chat/completions'],
  ['chat/completions%20', 'chat/completions'],
  ['chat/completions.json', 'chat/completions'],
  ['chat/completions::$DATA', 'chat/completions'],
  ['chat%5Ccompletions', 'chat/completions'],
  ['chat%c0%afcompletions', 'chat/completions'],
  ['%u0063hat/completions', 'chat/completions'],
  ['ｃｈａｔ／completions', 'chat/completions'],
  ['%EF%BD%83hat/completions', 'chat/completions'],
  ['openai/v1/chat/completions', 'chat/completions'],
  ['files/file-Ab.c', 'files/file-ab.c'],
  ['100%/a', '100%/a'],
  ['', ''],
])('the path %j is read as %j', (written, path) => {
  expect(endpointPath(written)).toBe(path)
  expect(endpointPath(path)).toBe(path)
})

test.each([
  'chat/completions',
  'files/file-AbC/content',
  'responses/resp_AbC%3D/cancel',
  'models/org%2Fname',
  'deployments/My%20own%2Fmodel.v2/chat/completions',
  'threads/thread_aB/runs',
])('the path %j is read alike by everybody', (path) => {
  expect(isPlainPath(path)).toBe(true)
})

test.each([
  'chat/completions/',
  'chat//completions',
  'Chat/completions',
  'ch%61t/completions',
  'chat%2Fcompletions',
  'files/a%2Fb',
  'files/a%252Fb',
  'chat/completions;x=1',
  'chat/completions%3fx',
  'chat/completions%00',
  'chat/completions%20',
  'chat/completions.',
  'chat/completions.json',
  'chat\\completions',
  'files/a%5cb',
  'files/%c0%ae',
  'ｃhat/completions',
  'Deployments/x/chat/completions',
  'deployments//x/chat/completions',
  'deployments/x%5c/chat/completions',
])('the path %j is read by some servers as another one', (path) => {
  expect(isPlainPath(path)).toBe(false)
})
