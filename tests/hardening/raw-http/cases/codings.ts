import { CHUNKED, CHUNKED_BODY, groupOf, LENGTH, withHeaders } from '../raw-case.ts'

const VALUES = [
  ...[
    '',
    ' ',
    'identity',
    'gzip',
    'deflate',
    'compress',
    'br',
    'x',
    'gzip, chunked',
    'gzip,chunked',
    'chunked, gzip',
    'chunked, identity',
  ],
  ...[
    'identity, chunked',
    'chunked, chunked',
    'chunked,chunked',
    'chunked,',
    'chunked, ',
    ',chunked',
    ', chunked',
    ',',
    'chunked;',
    'chunked;q=1',
  ],
  ...[
    'chunked; a=b',
    'chunked chunked',
    'chunked x',
    'x chunked',
    'xchunked',
    'chunkedx',
    'chunke',
    'chunked-',
    '-chunked',
    'chunked.',
  ],
  ...[
    '"chunked"',
    "'chunked'",
    '(chunked)',
    'chunked()',
    'chunked\0',
    '\0chunked',
    '\x0bchunked',
    'chunked\x0b',
    '\x0cchunked',
    '\xa0chunked',
  ],
  ...[
    'chunked\xa0',
    'chunked\x7f',
    'chunked\x01',
    'ch\xfcnked',
    'chun\xadked',
    'c\thunked',
    'chunked\tgzip',
    'trailers',
    'chunked, trailers',
  ],
  ...[
    '%63hunked',
    '0chunked',
    'chunked0',
    'chunked\r',
    'chunked\n',
    'chunked\r\n gzip',
    '\r\n chunked',
    '\r\n\tchunked',
    '\rchunked',
    '\nchunked',
  ],
]

/** More lines than one, and names that are nearly right. */
const LINES = [
  ...[
    `${CHUNKED}\r\n${CHUNKED}`,
    `Transfer-Encoding: gzip\r\n${CHUNKED}`,
    `${CHUNKED}\r\nTransfer-Encoding: gzip`,
    `${CHUNKED}\r\nTransfer-Encoding: identity`,
  ],
  ...[
    `Transfer-Encoding: identity\r\n${CHUNKED}`,
    `${CHUNKED}\r\ntransfer-encoding:`,
    `Transfer-Encoding:\r\n${CHUNKED}`,
  ],
  ...[
    `Transfer-Encoding: identity\r\n${LENGTH}`,
    `Transfer-Encoding:\r\n${LENGTH}`,
    `${LENGTH}\r\nTransfer-Encoding: x`,
  ],
  ...[
    'Transfer-Encoding : chunked',
    'Transfer-Encoding\t: chunked',
    'Transfer Encoding: chunked',
    ' Transfer-Encoding: chunked',
    '\tTransfer-Encoding: chunked',
  ],
  ...[
    'Transfer-Encoding:chunked\0',
    'Transfer-Encoding\0: chunked',
    'Transfer-Enc\xf6ding: chunked',
    '\x0bTransfer-Encoding: chunked',
    'Transfer-Encoding; chunked',
  ],
  ...[`X-A: b\r${CHUNKED}`, `X-A: b\n${CHUNKED}`, `X-A: b\r\r\n${CHUNKED}`],
]

/** Codings other than the one that everybody knows. */
export const CODINGS = [
  ...groupOf(
    'codings',
    VALUES.map((value) => withHeaders(`Transfer-Encoding: ${value}`, CHUNKED_BODY)),
  ),
  ...groupOf(
    'codings-lines',
    LINES.map((lines) => withHeaders(lines, CHUNKED_BODY)),
  ),
  ...groupOf(
    'codings-http10',
    ['chunked', 'CHUNKED', 'gzip, chunked', ''].map((value) =>
      withHeaders(`Transfer-Encoding: ${value}`, CHUNKED_BODY).replace('HTTP/1.1', 'HTTP/1.0'),
    ),
  ),
]
