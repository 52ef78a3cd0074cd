import { expect, test } from 'bun:test'
import { ApiError } from '../../../src/openai/api-error.ts'
import { createLocate } from '../../../src/upstream/target.ts'

test.each([
  ['https://api.openai.com/v1', '/chat/completions', 'https://api.openai.com/v1/chat/completions'],
  ['http://127.0.0.1:9', '/models', 'http://127.0.0.1:9/models'],
  ['http://h/a/b', '/files?limit=1&after=a%2Fb', 'http://h/a/b/files?limit=1&after=a%2Fb'],
])('%s and %s make %s', (base, path, url) => {
  expect(createLocate(base)(path).url.href).toBe(url)
})

test.each([
  ['https://api.openai.com/v1', "/v1/models/{id}?q='a'", "/v1/models/{id}?q='a'"],
  ['https://api.openai.com/v1', '/models?', '/v1/models?'],
  ['http://h/a/b', '/v1/v1/x', '/a/b/v1/x'],
  ['http://h', '/v1/x', '/x'],
])('on the request line, %s and %s make %s', (base, path, target) => {
  expect(createLocate(base)(path).target).toBe(target)
})

test.each(['@evil.example/x', '.evil.example/x', ':99999/x', '/../admin', '/../../v2/x', '/%2e%2e/admin', '/..'])(
  "the path %s can't leave the base",
  (path) => {
    for (const base of ['https://api.openai.com/v1', 'https://api.openai.com']) {
      let thrown: unknown
      let href = ''
      try {
        href = createLocate(base)(path).url.href
      } catch (error) {
        thrown = error
      }
      if (thrown === undefined) expect(href.startsWith(`${base}/`)).toBe(true)
      else expect(thrown).toBeInstanceOf(ApiError)
    }
  },
)
