import { expect, test } from 'bun:test'
import { PathTree } from '../../../src/openai/path-tree.ts'

const tree = new PathTree<string>()
for (const [method, path] of [
  ['GET', 'files/{id}'],
  ['any', 'files/all'],
  ['POST', 'chat/completions/{chatcmpl-…}'],
  ['GET', 'chat/completions/{id}'],
  ['any', 'jobs/**'],
  ['POST', 'jobs/{id}/cancel'],
] as const)
  tree.add(method, path, `${method} ${path}`)

test.each([
  ['GET', 'files/file-1', 'GET files/{id}'],
  ['GET', 'files/all', 'any files/all'],
  ['POST', 'files/file-1', undefined],
  ['POST', 'chat/completions/chatcmpl-1', 'POST chat/completions/{chatcmpl-…}'],
  ['GET', 'chat/completions/chatcmpl-1', 'GET chat/completions/{id}'],
  ['POST', 'chat/completions/gpt-4o', undefined],
  ['GET', 'jobs', 'any jobs/**'],
  ['GET', 'jobs/1/cancel/now', 'any jobs/**'],
  ['POST', 'jobs/1/cancel', 'POST jobs/{id}/cancel'],
  ['GET', 'nothing', undefined],
])('%s %s is found as %p', (method, path, found) => {
  expect(tree.find(method, path.split('/'))).toBe(found as never)
})
