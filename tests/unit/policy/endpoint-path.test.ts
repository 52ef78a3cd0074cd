import { expect, test } from 'bun:test'
import { endpointPath } from '../../../src/policy/endpoint-path.ts'

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
  ['models/caf%C3%A9', 'models/caf%c3%a9'],
  ['100%/a', '100%/a'],
  ['', ''],
])('the path %j is read as %j', (written, path) => {
  expect(endpointPath(written)).toBe(path)
  expect(endpointPath(path)).toBe(path)
})
