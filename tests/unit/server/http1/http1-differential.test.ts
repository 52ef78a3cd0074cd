import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import fc from 'fast-check'
import { type HttpServer, listenHttp1 } from '../../../../src/server/http1/listen.ts'
import { createDeadlines } from '../../../../src/timing/deadlines.ts'

const RUNS = 1500
const AT_ONCE = 40
/** Longer than either server needs for what has come; one that still waits then waits for more bytes. */
const SILENCE_MS = 250
/** The same on a machine that is busy elsewhere: only where the two differ is it worth the time. */
const PATIENT_MS = 4000

/** What a server made of the bytes of one connection. */
interface Reading {
  /** The requests that it took, as `method target body`. */
  readonly requests: readonly string[]
  readonly isRefused: boolean
}

/** Node's server: the parser that most of the field has in front or behind (llhttp). */
const NODE_SERVER = `
  const server = require('node:http').createServer((request, response) => {
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => response.end('[' + request.method + ' ' + request.url + ' ' + Buffer.concat(parts).toString('latin1') + ']'))
  })
  // What came before the error may still be answered.
  server.on('clientError', (error, socket) => setTimeout(() => socket.end('HTTP/1.1 400 Bad Request\\r\\n\\r\\n'), 20))
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
  process.stdin.on('end', () => process.exit(0)).resume()`

let ours: HttpServer
let node: ReturnType<typeof startNode>
let nodePort: number

function startNode() {
  return Bun.spawn(['node', '-e', NODE_SERVER], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
}

beforeAll(async () => {
  ours = listenHttp1(
    { hostname: '127.0.0.1', port: 0 },
    {
      deadlines: createDeadlines(),
      uploadIdleMs: 0,
      writeIdleMs: 0,
      async serve({ head, body }) {
        const text = await new Response(head.bodyBytes === 0 ? '' : body.stream()).bytes()
        return new Response(`[${head.method} ${head.target} ${Buffer.from(text).toString('latin1')}]`)
      },
      refuse: () => new Response(null, { status: 400 }),
      onDefect: () => undefined,
    },
  )
  node = startNode()
  for await (const line of node.stdout) {
    nodePort = Number(new TextDecoder().decode(line))
    break
  }
})

afterAll(async () => {
  void ours.close()
  ours.closeAll()
  node.stdin.end()
  await node.exited
})

/** Sends bytes on a connection of its own, and reads until it closes or falls silent. */
function readingOf(port: number, bytes: Buffer, silenceMs: number): Promise<Reading> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let received = ''
    let timer = setTimeout(() => socket.destroy(), silenceMs)
    socket.on('data', (part) => {
      received += part.toString('latin1')
      clearTimeout(timer)
      timer = setTimeout(() => socket.destroy(), silenceMs)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      const requests = [...received.matchAll(/\[((?:GET|POST|PUT|HEAD|DELETE) [^\]]*)\]/g)].map(
        ([, text]) => text ?? '',
      )
      resolve({ requests, isRefused: /^HTTP\/1\.1 4/m.test(received) })
    })
  })
}

/** What both servers take: ours may refuse what Node lets pass; what it takes has to be what Node takes. */
async function readingsOf(bytes: Buffer, silenceMs: number) {
  const [mine, its] = await Promise.all([readingOf(ours.port, bytes, silenceMs), readingOf(nodePort, bytes, silenceMs)])
  return {
    mine: mine.requests,
    its: mine.isRefused ? its.requests.slice(0, mine.requests.length) : its.requests,
  }
}

/** A piece of a request that is mostly right, and sometimes what somebody smuggles with. */
const mostly = <T>(right: readonly T[], odd: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 25, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: fc.constantFrom(...odd) })

const lineEnd = mostly(['\r\n'], ['\n', '\r', '\r\r\n', ' \r\n', '\r\n '])
const body = fc.stringMatching(/^[a-z]{0,12}$/)
const header = mostly(
  ['A: b', 'A:b', 'A: \t b \t', 'Accept: */*', 'X-A: \xe9'],
  [
    'A : b',
    ' A: b',
    'A',
    ': b',
    'A: b\rB: c',
    'A: b\nB: c',
    'A: \0',
    'A\xe9: b',
    'Content-Length: 3',
    'Transfer-Encoding: x',
  ],
)
const size = mostly(['', '0', '00'], ['+', '-', ' ', '0x', '_'])
const extension = mostly(['', ';a', ';a=b', ';a="b"'], [' ', ';a\rb', ';a\nb', '\t;a'])

const chunkedText = fc
  .tuple(
    body,
    size,
    extension,
    lineEnd,
    lineEnd,
    mostly(['0\r\n\r\n', '000\r\n\r\n', '0\r\nX: y\r\n\r\n'], ['0\r\n', '0\n\n', '0\r\nX\r\n\r\n', '']),
  )
  .map(([text, zeros, ext, first, second, last]) =>
    text === '' ? last : `${zeros}${text.length.toString(16)}${ext}${first}${text}${second}${last}`,
  )

const framed = fc.oneof(
  body.map((text) => ({ lines: [`Content-Length: ${text.length}`], text })),
  fc
    .tuple(body, mostly(['', ' ', '\t'], ['+', '0x', '-', ',', '1 ']))
    .map(([text, before]) => ({ lines: [`Content-Length:${before}${text.length}`], text })),
  chunkedText.map((text) => ({ lines: ['Transfer-Encoding: chunked'], text })),
  fc
    .tuple(
      mostly(['chunked', 'CHUNKED'], ['identity', 'gzip, chunked', 'chunked, identity', 'xchunked', '\vchunked', '']),
      mostly<string | undefined>([undefined], ['Content-Length: 5', 'Content-Length: 0']),
      chunkedText,
    )
    .map(([coding, length, text]) => ({
      lines: [`Transfer-Encoding: ${coding}`, ...(length === undefined ? [] : [length])],
      text,
    })),
  fc.constant({ lines: [], text: '' }),
)

const request = fc
  .tuple(
    mostly(['GET', 'POST', 'PUT', 'DELETE'], ['get', 'G@T', '']),
    mostly(['/a', '/a?b=c', '/%20'], ['/a b', '/a\tb', '/\x01', '']),
    mostly(['HTTP/1.1'], ['HTTP/1.2', 'http/1.1', 'HTTP/1.0', 'HTTP/1.1 ', '']),
    lineEnd,
    fc.array(fc.tuple(header, lineEnd), { maxLength: 2 }),
    framed,
    lineEnd,
    lineEnd,
  )
  .map(([method, target, version, first, headers, { lines, text }, before, end]) => {
    const own = headers.map(([line, ending]) => line + ending).join('')
    const framing = lines.map((line, index) => line + (index === lines.length - 1 ? before : '\r\n')).join('')
    return `${method} ${target} ${version}${first}Host: a\r\n${own}${framing}${end}${text}`
  })

const SENTINEL = 'GET /sentinel HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

test('whatever this server takes, it reads as Node’s does: the same requests, with the same bodies, and none more', async () => {
  const cases = fc.sample(fc.tuple(request, fc.option(request, { nil: '' })), { numRuns: RUNS, seed: 20_261_124 })
  let taken = 0
  for (let at = 0; at < cases.length; at += AT_ONCE) {
    await Promise.all(
      cases.slice(at, at + AT_ONCE).map(async ([first, second]) => {
        const bytes = Buffer.from(first + second + SENTINEL, 'latin1')
        let both = await readingsOf(bytes, SILENCE_MS)
        if (!Bun.deepEquals(both.mine, both.its)) both = await readingsOf(bytes, PATIENT_MS)
        taken += both.mine.length
        expect([bytes.toString('latin1'), both.mine]).toEqual([bytes.toString('latin1'), both.its])
      }),
    )
  }
  // Most are whole requests with a sentinel behind: a server that refused all of them would prove nothing.
  expect(taken).toBeGreaterThan(RUNS / 2)
}, 60_000)
