import { groupOf, withHosts, withRequestLine } from '../raw-case.ts'

const LINES = [
  ...[
    'GET  {t} HTTP/1.1',
    'GET {t}  HTTP/1.1',
    ' GET {t} HTTP/1.1',
    '\tGET {t} HTTP/1.1',
    'GET\t{t} HTTP/1.1',
    'GET {t}\tHTTP/1.1',
  ],
  ...[
    'GET {t} HTTP/1.1 ',
    'GET {t} HTTP/1.1\t',
    'GET {t} HTTP/1.1 x',
    'GET {t}',
    'GET',
    '{t}',
    'GET {t} ',
    'GET  HTTP/1.1',
    ' ',
  ],
  ...[
    'GET {t} HTTP/1.2',
    'GET {t} HTTP/2.0',
    'GET {t} HTTP/2',
    'GET {t} HTTP/0.9',
    'GET {t} HTTP/1',
    'GET {t} HTTP/1.',
  ],
  ...[
    'GET {t} HTTP/1.10',
    'GET {t} HTTP/01.1',
    'GET {t} HTTP/1.01',
    'GET {t} HTTP/1,1',
    'GET {t} HTTP/1.1.1',
    'GET {t} HTTP/11',
  ],
  ...[
    'GET {t} http/1.1',
    'GET {t} Http/1.1',
    'GET {t} HTTPS/1.1',
    'GET {t} HTP/1.1',
    'GET {t} HTTP 1.1',
    'GET {t} HTTP/ 1.1',
  ],
  ...[
    'GET {t} HTTP/-1.1',
    'GET {t} HTTP/+1.1',
    'GET {t} HTTP/1.x',
    'GET {t} HTTP/\xb9.1',
    'GET {t} HTTP/1.1\0',
    'GET {t} ICY/1.1',
  ],
  ...[
    'GE\0T {t} HTTP/1.1',
    'G(T {t} HTTP/1.1',
    'G@T {t} HTTP/1.1',
    'G{T {t} HTTP/1.1',
    '"GET" {t} HTTP/1.1',
    'GET, {t} HTTP/1.1',
  ],
  ...[
    'G\xc9T {t} HTTP/1.1',
    '\xef\xbb\xbfGET {t} HTTP/1.1',
    '\x7fGET {t} HTTP/1.1',
    '/GET {t} HTTP/1.1',
    ': {t} HTTP/1.1',
  ],
  ...[
    'GET {t}\0 HTTP/1.1',
    'GET {t}\x01 HTTP/1.1',
    'GET {t}\x7f HTTP/1.1',
    'GET {t}\xff HTTP/1.1',
    'GET {t}\xc3\xa9 HTTP/1.1',
  ],
  ...[
    'GET {t} x HTTP/1.1',
    'GET {t}\x0bx HTTP/1.1',
    'GET {t}\x0cx HTTP/1.1',
    'GET {t}\x1b[2J HTTP/1.1',
    'GET {t}\x08 HTTP/1.1',
  ],
  ...[
    'GET {t}\r HTTP/1.1',
    'GET {t}\n HTTP/1.1',
    'GET\r{t} HTTP/1.1',
    'GET\n{t} HTTP/1.1',
    'GET {t}\rHTTP/1.1',
    'GET {t} HTTP/1.1\r',
  ],
  ...[
    'GET {t} HTTP/1.1\rX: y',
    'GET {t} HTTP/1.1\nX: y',
    '\nGET {t} HTTP/1.1',
    '\rGET {t} HTTP/1.1',
    '\r\rGET {t} HTTP/1.1',
  ],
  ...[
    'GET {t} HTTP/1.1\r\n X: y',
    'GET {t} HTTP/1.1\r\n\tX: y',
    'PRI * HTTP/2.0',
    '\x16\x03\x01\0\xa5\x01\0\0\xa1\x03\x03',
  ],
  ...['SSH-2.0-x', '*1', 'HELO a', 'HTTP/1.1 200 OK', 'GET {t} HTTP/1.1 HTTP/1.1', 'GET {t}%00 x HTTP/1.1'],
]

/** Whole and well framed, but nothing that is served: answered with a 4xx, and the next request is the next. */
const REFUSED = [
  ...[
    'get {t} HTTP/1.1',
    'Get {t} HTTP/1.1',
    'TRACE {t} HTTP/1.1',
    'PROPFIND {t} HTTP/1.1',
    'GETS {t} HTTP/1.1',
    'M-SEARCH {t} HTTP/1.1',
  ],
  ...[
    'CONNECT a:443 HTTP/1.1',
    'CONNECT {t} HTTP/1.1',
    'PURGE {t} HTTP/1.1',
    'GET * HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'GET a HTTP/1.1',
  ],
  ...[
    'GET http://a{t} HTTP/1.1',
    'GET http://evil.example{t} HTTP/1.1',
    'GET //evil.example{t} HTTP/1.1',
    'GET \\{t} HTTP/1.1',
  ],
  ...[
    'GET /v1/../..{t} HTTP/1.1',
    'GET /v1/%2e%2e{t} HTTP/1.1',
    'GET {t}#x HTTP/1.1',
    'GET ?{t} HTTP/1.1',
    'GET @{t} HTTP/1.1',
  ],
]

const HOSTS = [
  ...[
    '',
    'Host: \r\n',
    'Host:\r\n',
    'Host: a\r\nHost: a\r\n',
    'Host: a\r\nHost: b\r\n',
    'Host: a\r\nhost: b\r\n',
    'Host: a, b\r\n',
  ],
  ...[
    'Host: a b\r\n',
    'Host: a/b\r\n',
    'Host: a?b\r\n',
    'Host: a#b\r\n',
    'Host: a@b\r\n',
    'Host: a\\b\r\n',
    'Host: http://a\r\n',
  ],
  ...[
    'Host: a:b\r\n',
    'Host: a:\r\n',
    'Host: a:123456\r\n',
    'Host: [::1\r\n',
    'Host: a]\r\n',
    'Host: \xe9\r\n',
    'Host: a%2f\r\n',
  ],
]

/** What may stand wrong before the headers. */
export const REQUEST_LINES = [
  ...groupOf('request-lines', LINES.map(withRequestLine)),
  ...groupOf('refused-lines', REFUSED.map(withRequestLine), { mayForward: ['second'] }),
  ...groupOf('hosts', HOSTS.map(withHosts), { mayForward: ['second'] }),
]
