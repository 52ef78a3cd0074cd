import { BODY, CHUNKED, groupOf, SIZE, withHeaders } from '../raw-case.ts'

/** Where a chunk's size belongs. */
const SIZES = [
  ...[
    '',
    ' ',
    'x',
    'g',
    'G9',
    '-1',
    `-${SIZE}`,
    `+${SIZE}`,
    `0x${SIZE}`,
    `0X${SIZE}`,
    `${SIZE}h`,
    `$${SIZE}`,
    `#${SIZE}`,
    `\\x${SIZE}`,
  ],
  ...[
    ` ${SIZE}`,
    `${SIZE} `,
    `\t${SIZE}`,
    `${SIZE}\t`,
    `${SIZE} x`,
    `3 9`,
    `3_9`,
    `3,9`,
    `${SIZE}.0`,
    `${SIZE},`,
    `"${SIZE}"`,
    `${SIZE}e0x`,
  ],
  ...[
    'FFFFFFFFFFFFFFFFF',
    '10000000000000039',
    '1000000000000000000000039',
    'f'.repeat(100),
    '7fffffffffffffff1',
    '-0',
    '--39',
  ],
  ...[
    `${SIZE}\0`,
    `\0${SIZE}`,
    `${SIZE}\x0b`,
    `\x0b${SIZE}`,
    `${SIZE}\x7f`,
    `\xb3\xb9`,
    `${SIZE}\xa0`,
    `\xef\xbb\xbf${SIZE}`,
    `%33%39`,
  ],
  ...[
    `;${SIZE}`,
    ';',
    `;a=b`,
    `${SIZE}=`,
    `${SIZE}:`,
    `${SIZE}\r`,
    `${SIZE}\n`,
    `\r${SIZE}`,
    `\n${SIZE}`,
    `${SIZE}\r\r`,
    `${SIZE}\n\n`,
  ],
  ...[
    `${SIZE};a\rb`,
    `${SIZE};a\nb`,
    `${SIZE};\0`,
    `${SIZE};a\0=b`,
    `${SIZE};a=\x01`,
    `${SIZE};a="b`,
    `${SIZE};a="b\\`,
    `${SIZE};a="b"c`,
  ],
  ...[
    `${SIZE};a="\r"`,
    `${SIZE};a="\n"`,
    `${SIZE};a=b;`,
    `${SIZE};;a`,
    `${SIZE};=b`,
    `${SIZE};a=`,
    `${SIZE};a@b`,
    `${SIZE};a=b,c`,
    `${SIZE};${'a'.repeat(9000)}`,
  ],
]

/** What stands behind a chunk's data. */
const AFTER_DATA = [
  ...[
    '',
    '\n',
    '\r',
    '\r\r\n',
    '\n\r',
    ' \r\n',
    'x\r\n',
    'xx\r\n',
    '\0\r\n',
    '\rX',
    '\r\n\r\n',
    '\n\n',
    '\t\r\n',
    '}\r\n',
    '0\r\n',
  ],
]

/** How a body ends. */
const ENDS = [
  ...[
    '0\n\n',
    '0\n\r\n',
    '0\r\n\n',
    '0\r\n\rX',
    '0\r\r\n\r\n',
    '0\r\n \r\n\r\n',
    '0 \r\n\r\n',
    ' 0\r\n\r\n',
    '-0\r\n\r\n',
    '+0\r\n\r\n',
    '0x0\r\n\r\n',
  ],
  ...[
    '00x\r\n\r\n',
    '0;\r\n\r\n',
    '0;a\n\r\n\r\n',
    '0;a\r\r\n\r\n',
    'z\r\n\r\n',
    '\r\n\r\n',
    '0\r\nX\r\n\r\n',
    '0\r\nX Y: a\r\n\r\n',
    '0\r\n: a\r\n\r\n',
  ],
  ...[
    '0\r\nX : a\r\n\r\n',
    '0\r\n X: a\r\n\r\n',
    '0\r\nX: a\r\n b\r\n\r\n',
    '0\r\nX: a\rb\r\n\r\n',
    '0\r\nX: a\nb\r\n\r\n',
    '0\r\nX: \0\r\n\r\n',
  ],
  ...[
    '0\r\nX\xe9: a\r\n\r\n',
    '0\r\nX: \x7f\r\n\r\n',
    '0\r\nX: \x01\r\n\r\n',
    '0\r\nX: a\n\n',
    '0\r\nX: a\r\n\n',
    '0\r\nX: a\r\r\n\r\n',
  ],
  ...[
    `0\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    `0\r\n${'X: a\r\n'.repeat(4000)}\r\n`,
    '0\r\nGET /v1/models HTTP/1.1\r\n\r\n',
    '0\r\n\0\r\n\r\n',
  ],
]

const chunked = (body: string): string => withHeaders(CHUNKED, body)

/** Chunked bodies that two readers may cut in two ways. */
export const CHUNKS = [
  ...groupOf(
    'chunk-sizes',
    SIZES.map((size) => chunked(`${size}\r\n${BODY}\r\n0\r\n\r\n`)),
  ),
  ...groupOf(
    'chunk-data',
    AFTER_DATA.map((end) => chunked(`${SIZE}\r\n${BODY}${end}0\r\n\r\n`)),
  ),
  ...groupOf(
    'chunk-ends',
    ENDS.map((end) => chunked(`${SIZE}\r\n${BODY}\r\n${end}`)),
  ),
]
