import { groupOf, LENGTH, withHeaders } from '../raw-case.ts'

/** In front of a length, which is right. */
const BEFORE_THE_LENGTH = [
  ...[
    'X-A : b',
    'X-A\t: b',
    ' X-A: b',
    '\tX-A: b',
    'X-A',
    'X-A b',
    ': b',
    ':',
    ' : b',
    'X A: b',
    'X\tA: b',
    '-',
    '=',
    'X-A; b',
  ],
  ...['X-A: b\r\n c', 'X-A: b\r\n\tc', 'X-A:\r\n b', 'X-A: b\r\n : c', 'X-A: b\r\n  X-C: d', 'X-A: b\r\n\t\r\n c'],
  ...[
    'X-A: b\rc',
    'X-A: b\r',
    'X-A: b\r\r',
    'X-A: \rb',
    'X\r-A: b',
    'X-A\r: b',
    '\rX-A: b',
    'X-A: b\rX-C: d',
    'X-A:\r',
  ],
  ...['X-A: b\nc', 'X-A: b\n', 'X-A: b\nX-C: d', 'X\n-A: b', '\nX-A: b', 'X-A:\nb', 'X-A: b\n\r', 'X-A: b\n c', '\n'],
  ...[
    'X-A: \0',
    'X-A: b\0',
    'X-A: \x01',
    'X-A: \x07',
    'X-A: \x08',
    'X-A: \x0b',
    'X-A: \x0c',
    'X-A: \x1b',
    'X-A: \x1f',
    'X-A: \x7f',
  ],
  ...[
    'X\0A: b',
    'X\x01A: b',
    'X\x7fA: b',
    'X\xe9: b',
    '\xef\xbb\xbfX-A: b',
    'X(A): b',
    'X"A": b',
    'X/A: b',
    'X[A]: b',
    'X{A}: b',
  ],
  ...['X<A: b', 'X@A: b', 'X,A: b', 'X;A: b', 'X\\A: b', 'X?A: b', 'X=A: b', '[]: b', '"": b', '(x): b'],
]

/** Around the framing itself. */
const AROUND_THE_FRAMING = [
  ...[
    `${LENGTH}\r`,
    `${LENGTH}\n`,
    `${LENGTH}\r\n `,
    `${LENGTH}\r\n\t`,
    `${LENGTH}\0`,
    `${LENGTH}\x0b`,
    `${LENGTH}\x7f`,
  ],
  ...[
    `Content-Length : ${LENGTH.slice(16)}`,
    `Content-Length\t: ${LENGTH.slice(16)}`,
    `Content Length: 5\r\n${LENGTH}`,
  ],
  ...[`${LENGTH}\r\n\nX: y`, `X-A: b\n${LENGTH}`, `X-A: b\r${LENGTH}`, `X-A: b\r\n\r${LENGTH}`, `X-A: b\n\n${LENGTH}`],
  ...[
    `\0${LENGTH}`,
    ` ${LENGTH}`,
    `\t${LENGTH}`,
    `\x0b${LENGTH}`,
    `\xa0${LENGTH}`,
    `Content-\xe4Length: 5\r\n${LENGTH}`,
  ],
]

/** What may stand wrong among the headers. */
export const HEADER_LINES = [
  ...groupOf(
    'header-lines',
    BEFORE_THE_LENGTH.map((line) => withHeaders(`${line}\r\n${LENGTH}`)),
  ),
  ...groupOf(
    'header-framing',
    AROUND_THE_FRAMING.map((lines) => withHeaders(lines)),
  ),
]
