import { expect, test } from 'bun:test'
import { showPath } from '../../../src/openai/shown-path.ts'

test.each([
  ['/v1/chat/completions', '/v1/chat/completions'],
  ['/v1/v1/chat/completions?key=sk-1', '/v1/v1/chat/completions'],
  ['/v1/chat/completion', '/v1/chat/completion'],
  ['/v1/Chat/compeltions', '/v1/Chat/compeltions'],
  ['/v1/files/file-abc123/content', '/v1/files/…/content'],
  ['/v1/sk-proj-0123456789abcdef', '/v1/…'],
  ['/correcthorsebatterystaple', '/…'],
  ['/', '/'],
  ['/%2e%2e/chat', '/…/chat'],
  [`/${'chat/'.repeat(40)}`, `/${'chat/'.repeat(10)}chat`],
])('%s is shown as %s', (target, shown) => {
  expect(showPath(target)).toBe(shown)
})
