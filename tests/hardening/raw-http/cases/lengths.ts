import { BODY, CHUNKED, CHUNKED_BODY, groupOf, LENGTH, withHeaders } from '../raw-case.ts'

const SIZE = BODY.length
const length = (value: string): string => withHeaders(`Content-Length: ${value}`)

/** One length that is none. */
const VALUES = [
  ...[
    '',
    ' ',
    '\t',
    '+',
    '-',
    'x',
    '-1',
    '-0',
    `+${SIZE}`,
    `-${SIZE}`,
    `0x${SIZE.toString(16)}`,
    `0o71`,
    '0b111001',
    `${SIZE}.0`,
    `${SIZE}.`,
  ],
  ...[
    `.${SIZE}`,
    '5e1',
    '5.7e1',
    `${SIZE};`,
    `${SIZE},`,
    `,${SIZE}`,
    `${SIZE},${SIZE}`,
    `${SIZE}, ${SIZE}`,
    `${SIZE}, 5`,
    `5, ${SIZE}`,
  ],
  ...[
    `${SIZE} ${SIZE}`,
    `5 7`,
    `5\t7`,
    `${SIZE}_`,
    `5_7`,
    `5'7`,
    `"${SIZE}"`,
    `'${SIZE}'`,
    `(${SIZE})`,
    `${SIZE}a`,
    `a${SIZE}`,
    `${SIZE}h`,
  ],
  ...[
    '99999999999999999999',
    '18446744073709551673',
    '4294967353x',
    '9'.repeat(400),
    'NaN',
    'Infinity',
    'null',
    'undefined',
    'true',
  ],
  ...[
    `\x0b${SIZE}`,
    `\x0c${SIZE}`,
    `\xa0${SIZE}`,
    `${SIZE}\xa0`,
    `\xb5\xb7`,
    `${SIZE}\x01`,
    `\0${SIZE}`,
    `${SIZE}%`,
    `%35%37`,
    `&#53;7`,
  ],
]

/** More lengths than one, or a length and a coding. */
const SEVERAL = [
  ...[
    `${LENGTH}\r\n${LENGTH}`,
    `${LENGTH}\r\nContent-Length: 5`,
    `Content-Length: 5\r\n${LENGTH}`,
    `${LENGTH}\r\nContent-Length: `,
  ],
  ...[
    `Content-Length:\r\n${LENGTH}`,
    `${LENGTH}\r\ncontent-length: 0`,
    `CONTENT-LENGTH: 0\r\n${LENGTH}`,
    `${LENGTH}\r\nX-A: b\r\n${LENGTH}`,
  ],
]
const BOTH = [
  ...[
    `${LENGTH}\r\n${CHUNKED}`,
    `${CHUNKED}\r\n${LENGTH}`,
    `${CHUNKED}\r\nContent-Length: 0`,
    `Content-Length: 0\r\n${CHUNKED}`,
  ],
  ...[
    `${CHUNKED}\r\nContent-Length: 4`,
    `Content-Length: 4\r\n${CHUNKED}`,
    `${CHUNKED}\r\nContent-Length: `,
    `${CHUNKED}\r\nContent-Length: x`,
  ],
  ...[
    `${CHUNKED}\r\nX-A: b\r\n${LENGTH}`,
    `${LENGTH}\r\n${CHUNKED}\r\n${LENGTH}`,
    `${CHUNKED}\r\n${LENGTH}\r\n${CHUNKED}`,
  ],
]

/** Lengths that two readers may read in two ways. */
export const LENGTHS = [
  ...groupOf('lengths', VALUES.map(length)),
  ...groupOf(
    'lengths-several',
    SEVERAL.map((lines) => withHeaders(lines)),
  ),
  ...groupOf(
    'lengths-and-coding',
    BOTH.map((lines) => withHeaders(lines, CHUNKED_BODY)),
  ),
]
