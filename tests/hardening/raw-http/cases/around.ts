import {
  asWritten,
  BODY,
  CHUNKED,
  CHUNKED_BODY,
  groupOf,
  LENGTH,
  SECOND,
  SIZE,
  withHeaders,
  withTail,
} from '../raw-case.ts'

/** Behind a whole request, where the next one belongs. */
const BEHIND = [
  ...[
    '\n',
    '\r',
    '\n\n',
    ' ',
    '\0',
    '\0\0\0\0\r\n\r\n',
    'x y ',
    '}',
    '{}',
    '0\r\n\r\n',
    '\r\n0\r\n\r\n',
    '\r\n \r\n',
    '\x16\x03\x01',
    '\xff\xfe',
  ],
  ...[
    ' GET / HTTP/1.1\r\n\r\n',
    'G@T / HTTP/1.1\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ': x\r\n\r\n',
  ],
].map((tail) => withTail(`${tail}${SECOND}`))

/** Line ends other than the right one, everywhere. */
const LINE_ENDS = ['\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\r\n ', '\0\r\n', '\x0b\r\n', '\x85', '\r\n\n'].map((end) =>
  asWritten(`GET {t} HTTP/1.1${end}Host: a${end}{key}${end}${end}{second}`),
)

/** What is not there yet, and may never come. */
const UNFINISHED = [
  ...[
    'G',
    'GET',
    'GET ',
    'GET {t}',
    'GET {t} ',
    'GET {t} HTTP/1.',
    'GET {t} HTTP/1.1',
    'GET {t} HTTP/1.1\r',
    'GET {t} HTTP/1.1\r\n',
  ],
  ...[
    'GET {t} HTTP/1.1\r\nHost',
    'GET {t} HTTP/1.1\r\nHost: a',
    'GET {t} HTTP/1.1\r\nHost: a\r',
    'GET {t} HTTP/1.1\r\nHost: a\r\n',
  ],
  ...['GET {t} HTTP/1.1\r\nHost: a\r\n\r', '\r\n', '\r', '\r\nGET {t}', 'GET {t} HTTP/1.1\r\nHost: a\r\nX-A: b'],
  ...[
    `POST {t} HTTP/1.1\r\nHost: a\r\n{key}\r\n${LENGTH}\r\n\r\n`,
    `POST {t} HTTP/1.1\r\nHost: a\r\n{key}\r\n${LENGTH}\r\n\r\n${BODY.slice(0, -1)}`,
  ],
  ...[
    '',
    SIZE,
    `${SIZE}\r`,
    `${SIZE}\r\n`,
    `${SIZE}\r\n{`,
    `${SIZE}\r\n${BODY}`,
    `${SIZE}\r\n${BODY}\r`,
    `${SIZE}\r\n${BODY}\r\n`,
  ]
    .concat([
      `${SIZE}\r\n${BODY}\r\n0`,
      `${SIZE}\r\n${BODY}\r\n0\r`,
      `${SIZE}\r\n${BODY}\r\n0\r\n`,
      `${SIZE}\r\n${BODY}\r\n0\r\n\r`,
    ])
    .concat([`${SIZE}\r\n${BODY}\r\n0\r\nX: y`, `${SIZE}\r\n${BODY}\r\n0\r\nX: y\r\n`, `FF\r\n${BODY}`])
    .map((body) => `POST {t} HTTP/1.1\r\nHost: a\r\n{key}\r\n${CHUNKED}\r\n\r\n${body}`),
].map(asWritten)

/** What can never become a request, although its end is missing: there is nothing to wait for. */
const HOPELESS = [
  ...[
    'GET {t} HTTP/1.1\rHost: a',
    'GET {t} HTTP/1.1\nHost: a',
    'GET {t}\r HTTP/1.1',
    '\rG',
    '\n',
    '\r\r',
    '\r\n\n',
    ' ',
    '\0',
    '@',
    '\x16\x03\x01',
  ],
  ...[
    'GET {t} HTTP/1.1\r\nHost: a\rX',
    'GET {t} HTTP/1.1\r\nHost: a\nX',
    'GET {t} HTTP/1.1\r\nHost: a\r\n\rX',
    'GET {t} HTTP/1.1\r\nHost: a\r\r',
  ],
  ...[
    'GET {t} HTTP/1.1\r\nX\r: a\r\n',
    'GET {t} HTTP/1.1\r\nX: a\r\n\n',
    `GET {t} HTTP/1.1\r\nX: ${'a'.repeat(17_000)}`,
    `GET /${'a'.repeat(17_000)}`,
  ],
  ...[
    `${SIZE}\rX`,
    `${SIZE}\r\r`,
    `${SIZE}\n`,
    `${SIZE};a\rb`,
    `${SIZE}\r\n${BODY}X`,
    `${SIZE}\r\n${BODY}\rX`,
    `${SIZE}\r\n${BODY}\n`,
    '\r\n',
    '\rX',
  ]
    .concat([
      `${SIZE}\r\n${BODY}\r\n0\rX`,
      `${SIZE}\r\n${BODY}\r\n0\r\n\rX`,
      `${SIZE}\r\n${BODY}\r\n0\r\nX: y\rZ`,
      `${SIZE}\r\n${BODY}\r\n0\r\n\n`,
    ])
    .map((body) => `POST {t} HTTP/1.1\r\nHost: a\r\n{key}\r\n${CHUNKED}\r\n\r\n${body}`),
].map(asWritten)

/** Odd, but with one meaning only. */
const ODD = [
  ...[
    LENGTH,
    `Content-Length:${BODY.length}`,
    `Content-Length: 0${BODY.length}`,
    `Content-Length: ${BODY.length}\t`,
    `content-LENGTH: \t ${BODY.length} `,
  ],
  ...[
    `X-A:\r\n${LENGTH}`,
    `X-A: \xe9\r\n${LENGTH}`,
    `X-A: :::\r\n${LENGTH}`,
    `!#$%&'*+.^_\`|~: b\r\n${LENGTH}`,
    `X-A: "b\\"\r\n${LENGTH}`,
    `Content_Length: 5\r\n${LENGTH}`,
  ],
  ...[
    `X-A: b\r\nx-a: c\r\n${LENGTH}`,
    `X-A: ${'b'.repeat(8000)}\r\n${LENGTH}`,
    `Transfer_Encoding: chunked\r\n${LENGTH}`,
    `TE: chunked\r\n${LENGTH}`,
  ],
].map((lines) => withHeaders(lines))
const ODD_CHUNKS = [
  ...[
    CHUNKED_BODY,
    `0000${SIZE}\r\n${BODY}\r\n000\r\n\r\n`,
    `${SIZE.toUpperCase()};a\r\n${BODY}\r\n0;b\r\n\r\n`,
    `${SIZE};a=b;c="d;e\\""\r\n${BODY}\r\n0\r\n\r\n`,
  ],
  ...[
    `${SIZE}\r\n${BODY}\r\n0\r\nX-Trailer: a\r\n\r\n`,
    `${SIZE}\r\n${BODY}\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\n`,
  ],
  ...[`${[...BODY].map((char) => `1\r\n${char}\r\n`).join('')}0\r\n\r\n`],
].flatMap((body) => [CHUNKED, 'TRANSFER-ENCODING: \t CHUNKED \t'].map((lines) => withHeaders(lines, body)))

const WEBSOCKET = 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
const upgrade = (lines: string, tail = ''): string =>
  asWritten(`GET {t} HTTP/1.1\r\nHost: a\r\n{key}\r\n${lines}\r\n\r\n${tail}{second}`)

/** Requests for another protocol, before an upstream that speaks none: what is behind them is the next request, or nobody's. */
const UPGRADES = [
  ...[
    upgrade(`Connection: Upgrade\r\n${WEBSOCKET}`),
    upgrade(`Connection: keep-alive, Upgrade\r\n${WEBSOCKET}`),
    upgrade(WEBSOCKET),
  ],
  ...[
    upgrade('Connection: Upgrade'),
    upgrade('Connection: Upgrade\r\nUpgrade: x'),
    upgrade('Connection: Upgrade\r\nUpgrade: websocket'),
  ],
  upgrade('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__'),
  upgrade('Connection: Upgrade\r\nUpgrade: TLS/1.0, HTTP/1.1'),
  upgrade(`Connection: Upgrade\r\n${WEBSOCKET}\r\n${LENGTH}`, BODY),
  upgrade(`Connection: Upgrade\r\n${WEBSOCKET}\r\n${CHUNKED}`, CHUNKED_BODY),
  upgrade(`Connection: Upgrade\r\n${WEBSOCKET.replace('13', '99')}`),
  upgrade(`Connection: Upgrade\r\n${WEBSOCKET}`).replace('HTTP/1.1', 'HTTP/1.0'),
]

/** What stands around a request, and what only looks malformed. */
export const AROUND = [
  ...groupOf('behind', BEHIND, { mayForward: ['first'] }),
  ...groupOf('line-ends', LINE_ENDS),
  ...groupOf('upgrades', UPGRADES, { mayForward: ['first', 'second'] }),
  ...groupOf('hopeless', HOPELESS),
  ...groupOf('unfinished', UNFINISHED, { isUnfinished: true }),
  ...groupOf('odd', ODD, { mayForward: ['first', 'second'], isOdd: true }),
  ...groupOf('odd-chunks', ODD_CHUNKS, { mayForward: ['first', 'second'], isOdd: true }),
]
