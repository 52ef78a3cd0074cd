import type { Random } from '../random.ts'
import { asWritten, BODY, CHUNKED, CHUNKED_BODY, LENGTH, SECOND, SIZE, withHeaders, withTail } from './raw-case.ts'
import { tagged } from './tag.ts'

/** Whole connections that are right; a mutation makes something else of one. */
const SEEDS: readonly string[] = [
  withHeaders(LENGTH),
  withHeaders(CHUNKED, CHUNKED_BODY),
  withHeaders(`X-A: b\r\n${CHUNKED}\r\nX-C: d`, `${SIZE};a="b"\r\n${BODY}\r\n0\r\nX-T: e\r\n\r\n`),
  withHeaders(`Expect: 100-continue\r\n${LENGTH}`),
  withHeaders(LENGTH).replace('/v1/files', '/v1/chat/completions'),
  withHeaders(CHUNKED, CHUNKED_BODY).replace('/v1/files', '/v1/embeddings'),
  withTail(asWritten(`GET {t} HTTP/1.1\r\nHost: a\r\n{key}\r\n\r\n${SECOND}`)),
  asWritten(`GET {t} HTTP/1.1\r\nHost: a\r\n{key}\r\nAccept: */*\r\n\r\n{second}`),
  asWritten(`DELETE {t} HTTP/1.1\r\nHost: a\r\n{key}\r\nConnection: keep-alive\r\n\r\n{second}`),
  asWritten(`GET {t} HTTP/1.0\r\nHost: a\r\n{key}\r\nConnection: keep-alive\r\n\r\n{second}`),
  withHeaders(`Content-Type: application/json\r\n${LENGTH}\r\nX-Tag: {tag}`),
]

const BYTES = [...'\r\n\0\t :;,"\\/%?#=-+0159afx\x01\x0b\x0c\x1f\x7f\x80\x85\xa0\xff']
const WORDS = [
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n\n',
    '\r\r\n',
    '\r\n ',
    '0\r\n\r\n',
    ' chunked',
    'chunked',
    ', chunked',
    'HTTP/1.1',
    ' HTTP/1.0',
    '5\r\nhello\r\n',
  ],
  ...[
    '\r\nTransfer-Encoding: chunked',
    '\r\nContent-Length: 0',
    '\r\nContent-Length: 5',
    '\r\nContent-Length: 57',
    '\r\nConnection: close',
  ],
  ...[
    '\r\nTransfer-Encoding: identity',
    '\r\nHost: b',
    '\r\nExpect: 100-continue',
    '\r\nX: y',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    '..',
    '//',
    '%2e%2e',
  ],
]

const insert = (text: string, at: number, what: string, over = 0): string =>
  text.slice(0, at) + what + text.slice(at + over)

/** Ways to spoil a connection. */
const MUTATIONS: readonly ((text: string, random: Random, number: number) => string)[] = [
  (text, { below, pick }) => insert(text, below(text.length), pick(BYTES)),
  (text, { below, pick }) => insert(text, below(text.length), pick(BYTES), 1),
  (text, { below }) => insert(text, below(text.length), '', 1),
  (text, { below }) => insert(text, below(text.length), '', 1 + below(12)),
  (text, { below, pick }) => insert(text, below(text.length), pick(WORDS)),
  (text, { below, pick }) => insert(text, below(text.length), pick(WORDS), below(8)),
  (text, { below }) => {
    const at = below(text.length)
    return insert(text, below(text.length), text.slice(at, at + 1 + below(40)))
  },
  (text, random) => {
    const at = random.below(text.length)
    return insert(text, at, String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(8))), 1)
  },
  (text, { pick }) => {
    // At a line's end, where readers part most often.
    const ends = [...text.matchAll(/\r\n/g)].map(({ index }) => index)
    return insert(
      text,
      ends.length === 0 ? 0 : pick(ends),
      pick(['\n', '\r', '\r\r\n', ' \r\n', '\r\n ', '', '\n\r', '\0\r\n']),
      2,
    )
  },
  (text, { below, pick }) => {
    const lines = text.split('\r\n')
    lines.splice(below(lines.length), 0, pick(lines))
    return lines.join('\r\n')
  },
  (text, { below }) => {
    const lines = text.split('\r\n')
    lines.splice(below(lines.length), 1)
    return lines.join('\r\n')
  },
  (text, { pick, below }, number) => {
    const other = tagged(pick(SEEDS), number)
    return text.slice(0, below(text.length)) + other.slice(below(other.length))
  },
  (text, { below }) => text.slice(0, 1 + below(text.length)),
  (text, { below }) => {
    const numbers = [...text.matchAll(/(?<=: ?|\n)\d+/g)]
    const one = numbers[below(numbers.length)]
    return one === undefined ? text : insert(text, one.index, String(below(100)), one[0].length)
  },
]

const MUTATIONS_MAX = 3

/** Makes the text of one connection, with the tag of its number: a right one with one to three things wrong. */
export function mutate(random: Random, number: number): string {
  // Tagged first: what a mutation does to the tag is a part of it.
  let text = tagged(random.pick(SEEDS), number)
  const count = 1 + random.below(MUTATIONS_MAX)
  for (let done = 0; done < count && text !== ''; done += 1) text = random.pick(MUTATIONS)(text, random, number)
  return text
}
