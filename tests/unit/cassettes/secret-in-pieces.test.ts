import { expect, test } from 'bun:test'
import { hasSecretInPieces } from '../../../src/cassettes/describe-answer.ts'
import { createScrub } from '../../../src/cassettes/scrub.ts'

const scrub = createScrub(['the-key-of-me'])
const isFound = (stream: string): boolean => hasSecretInPieces(new TextEncoder().encode(stream), scrub)

test.each([
  ['in events', 'data: {"delta":"the-key-"}\n\ndata: {"delta":"of-me"}\n\n'],
  ['with line ends of all kinds', 'data:{"delta":"the-key-"}\r\n\r\ndata: {"delta":"of-me"}\r\r'],
  ['where the last event has no end', 'data: {"delta":"the-key-"}\n\ndata: {"delta":"of-me"}'],
  ['where an event has several lines', 'data: {"delta":\ndata: "the-key-"}\n\ndata: {"delta":"of-me"}\n\n'],
  ['where a server leaves out the blank lines', 'data: {"delta":"the-key-"}\ndata: {"delta":"of-me"}\n'],
  ['behind a byte order mark', '\uFEFFdata: {"delta":"the-key-"}\n\ndata: {"delta":"of-me"}\n\n'],
])('a secret that events spell together is found %s', (_where, stream) => {
  expect(isFound(stream)).toBe(true)
})

test('pieces in different places, or of something else, spell none', () => {
  expect(isFound('data: {"delta":"the-key-"}\n\ndata: {"other":"of-me"}\n\n')).toBe(false)
  expect(isFound('data: {"delta":"the-key-"}\n\ndata: {"delta":"of-you"}\n\n: the-key-\n\n')).toBe(false)
})
