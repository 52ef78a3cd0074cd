import { afterAll, beforeAll, expect, test } from 'bun:test'
import { getText, openRawClient, postText } from '../helpers/raw-client.ts'
import { all, sendUntilClosed, splitResponses } from '../helpers/received-answers.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

const KEY = 'Authorization: Bearer sk-mine\r\n'
const BODY = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'
const SIZE = BODY.length.toString(16)
const CHUNKED = `${SIZE}\r\n${BODY}\r\n0\r\n\r\n`
/** What must never be taken for a request where the framing before it is in doubt. */
const SMUGGLED = `GET /v1/smuggled HTTP/1.1\r\nHost: a\r\n${KEY}\r\n`
const TARGETS = ['/v1/chat/completions', '/v1/files'] as const

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({
    upstreams: {
      openai: async (request, { json }) => {
        await request.body
        json({ target: request.target })
      },
    },
  })
})

afterAll(() => gateway.stop())

function post(target: string, headerLines: string, body: string): Buffer {
  return Buffer.from(`POST ${target} HTTP/1.1\r\nHost: a\r\n${KEY}${headerLines}\r\n${body}`, 'latin1')
}

const LENGTH = `Content-Length: ${BODY.length}\r\n`
const TE = 'Transfer-Encoding: chunked\r\n'

/** Header lines and the body behind them, which a strict server refuses. */
const MALFORMED: Readonly<Record<string, readonly [headerLines: string, body: string]>> = {
  'a length and chunked': [LENGTH + TE, CHUNKED],
  'chunked and a length': [`${TE}Content-Length: 4\r\n`, CHUNKED],
  'two lengths that differ': [`${LENGTH}Content-Length: 5\r\n`, BODY],
  'two lengths that agree': [LENGTH + LENGTH, BODY],
  'a list of lengths': [`Content-Length: ${BODY.length}, ${BODY.length}\r\n`, BODY],
  'a list of lengths that differ': [`Content-Length: ${BODY.length}, 5\r\n`, BODY],
  'a length with a plus': [`Content-Length: +${BODY.length}\r\n`, BODY],
  'a negative length': ['Content-Length: -1\r\n', BODY],
  'a hexadecimal length': ['Content-Length: 0x39\r\n', BODY],
  'a length with an exponent': ['Content-Length: 5e1\r\n', BODY],
  'a length with a fraction': [`Content-Length: ${BODY.length}.0\r\n`, BODY],
  'an empty length': ['Content-Length: \r\n', BODY],
  'a length in two words': ['Content-Length: 5 7\r\n', BODY],
  'a length beyond all numbers': ['Content-Length: 99999999999999999999\r\n', BODY],
  'a length behind a vertical tab': [`Content-Length: \v${BODY.length}\r\n`, BODY],
  'a space before the colon of a length': [`Content-Length : ${BODY.length}\r\n`, BODY],
  'gzip, chunked': ['Transfer-Encoding: gzip, chunked\r\n', CHUNKED],
  'gzip alone': ['Transfer-Encoding: gzip\r\n', CHUNKED],
  'chunked, gzip': ['Transfer-Encoding: chunked, gzip\r\n', CHUNKED],
  identity: ['Transfer-Encoding: identity\r\n', CHUNKED],
  'identity and a length': [`Transfer-Encoding: identity\r\n${LENGTH}`, BODY],
  'chunked, identity': ['Transfer-Encoding: chunked, identity\r\n', CHUNKED],
  'chunked with a comma behind': ['Transfer-Encoding: chunked,\r\n', CHUNKED],
  'chunked with a comma before': ['Transfer-Encoding: ,chunked\r\n', CHUNKED],
  'chunked twice in a list': ['Transfer-Encoding: chunked, chunked\r\n', CHUNKED],
  'chunked on two lines': [TE + TE, CHUNKED],
  'identity and chunked on two lines': [`Transfer-Encoding: identity\r\n${TE}`, CHUNKED],
  'chunked and gzip on two lines': [`${TE}Transfer-Encoding: gzip\r\n`, CHUNKED],
  'an unknown coding': ['Transfer-Encoding: xchunked\r\n', CHUNKED],
  'a coding that begins like chunked': ['Transfer-Encoding: chunkedx\r\n', CHUNKED],
  'chunked in quotes': ['Transfer-Encoding: "chunked"\r\n', CHUNKED],
  'chunked behind a vertical tab': ['Transfer-Encoding: \vchunked\r\n', CHUNKED],
  'chunked with a parameter': ['Transfer-Encoding: chunked;q=1\r\n', CHUNKED],
  'an empty coding': ['Transfer-Encoding:\r\n', CHUNKED],
  'an empty coding and a length': [`Transfer-Encoding:\r\n${LENGTH}`, BODY],
  'a space before the colon of chunked': ['Transfer-Encoding : chunked\r\n', CHUNKED],
  'a folded line': ['Transfer-Encoding:\r\n chunked\r\n', CHUNKED],
  'a folded header': [`X-A: a\r\n b\r\n${LENGTH}`, BODY],
  'a first header that begins with a space': [` ${TE}`, CHUNKED],
  'a bare LF before chunked': [`X-A: a\n${TE}`, CHUNKED],
  'a bare CR before chunked': [`X-A: a\r${TE}${LENGTH}`, BODY],
  'a bare LF behind a length': [`Content-Length: ${BODY.length}\n`, BODY],
  'NUL in chunked': ['Transfer-Encoding: chunked\0\r\n', CHUNKED],
  'NUL in a value': [`X-A: a\0b\r\n${LENGTH}`, BODY],
  'DEL in a value': [`X-A: a\x7fb\r\n${LENGTH}`, BODY],
  'a control character in a value': [`X-A: a\x01b\r\n${LENGTH}`, BODY],
  'an empty name': [`: a\r\n${LENGTH}`, BODY],
  'a line without a colon': [`X-A\r\n${LENGTH}`, BODY],
  'a space in a name': [`X A: a\r\n${LENGTH}`, BODY],
  'a bracket in a name': [`X(A): a\r\n${LENGTH}`, BODY],
  'NUL in a name': [`X\0A: a\r\n${LENGTH}`, BODY],
  'a letter beyond ASCII in a name': [`X\xe9: a\r\n${LENGTH}`, BODY],
  'LF in a chunk extension': [TE, `${SIZE};a\nb\r\n${BODY}\r\n0\r\n\r\n`],
  'CR in a chunk extension': [TE, `${SIZE};a\rb\r\n${BODY}\r\n0\r\n\r\n`],
  'NUL in a chunk extension': [TE, `${SIZE};a\0\r\n${BODY}\r\n0\r\n\r\n`],
  'an endless chunk extension': [TE, `${SIZE};${'a'.repeat(20_000)}\r\n${BODY}\r\n0\r\n\r\n`],
  'a chunk size with 0x': [TE, `0x${SIZE}\r\n${BODY}\r\n0\r\n\r\n`],
  'a negative chunk size': [TE, `-${SIZE}\r\n${BODY}\r\n0\r\n\r\n`],
  'a chunk size with a plus': [TE, `+${SIZE}\r\n${BODY}\r\n0\r\n\r\n`],
  'a space before a chunk size': [TE, ` ${SIZE}\r\n${BODY}\r\n0\r\n\r\n`],
  'a space behind a chunk size': [TE, `${SIZE} \r\n${BODY}\r\n0\r\n\r\n`],
  'an underscore in a chunk size': [TE, `3_9\r\n${BODY}\r\n0\r\n\r\n`],
  'a chunk size beyond all numbers': [TE, `FFFFFFFFFFFFFFFFF\r\n${BODY}\r\n0\r\n\r\n`],
  'a chunk size that wraps around': [TE, `10000000000000039\r\n${BODY}\r\n0\r\n\r\n`],
  'an empty chunk size': [TE, `\r\n${BODY}\r\n0\r\n\r\n`],
  'a chunk size that is no number': [TE, `g\r\n${BODY}\r\n0\r\n\r\n`],
  'a chunk size that ends with LF': [TE, `${SIZE}\n${BODY}\r\n0\r\n\r\n`],
  'a chunk that ends with LF': [TE, `${SIZE}\r\n${BODY}\n0\r\n\r\n`],
  'a chunk without an end': [TE, `${SIZE}\r\n${BODY}0\r\n\r\n`],
  'a chunk longer than its size': [TE, `${SIZE}\r\n${BODY}xx\r\n0\r\n\r\n`],
  'a chunk that ends with CR and something else': [TE, `${SIZE}\r\n${BODY}\rX0\r\n\r\n`],
  'a last chunk that ends with LF': [TE, `${SIZE}\r\n${BODY}\r\n0\n\n`],
  'a body that ends with LF': [TE, `${SIZE}\r\n${BODY}\r\n0\r\n\n`],
  'no last chunk': [TE, `${SIZE}\r\n${BODY}\r\n`],
  'a trailer without a colon': [TE, `${SIZE}\r\n${BODY}\r\n0\r\nXY\r\n\r\n`],
  'a trailer with a space in its name': [TE, `${SIZE}\r\n${BODY}\r\n0\r\nX Y: a\r\n\r\n`],
  'a folded trailer': [TE, `${SIZE}\r\n${BODY}\r\n0\r\nX: a\r\n b\r\n\r\n`],
  'NUL in a trailer': [TE, `${SIZE}\r\n${BODY}\r\n0\r\nX: \0\r\n\r\n`],
}

/** Odd, but with one meaning only. */
const ODD: Readonly<Record<string, readonly [headerLines: string, body: string]>> = {
  'a plain length': [LENGTH, BODY],
  'a length with a zero before': [`Content-Length: 0${BODY.length}\r\n`, BODY],
  'a length with a tab behind': [`Content-Length: ${BODY.length}\t\r\n`, BODY],
  chunked: [TE, CHUNKED],
  'chunked in capitals': ['TRANSFER-ENCODING: CHUNKED\r\n', CHUNKED],
  'chunked between blanks': ['Transfer-Encoding: \t chunked \t\r\n', CHUNKED],
  'a chunk extension': [TE, `${SIZE};a=b;c="d;e"\r\n${BODY}\r\n0;x\r\n\r\n`],
  'a chunk size with zeros before': [TE, `0000${SIZE}\r\n${BODY}\r\n000\r\n\r\n`],
  'a chunk size in capitals': [TE, `${SIZE.toUpperCase()}\r\n${BODY}\r\n0\r\n\r\n`],
  'many chunks': [TE, `${[...BODY].map((char) => `1\r\n${char}\r\n`).join('')}0\r\n\r\n`],
  'a trailer': [TE, `${SIZE}\r\n${BODY}\r\n0\r\nX-Trailer: a\r\n\r\n`],
  'names that look like others': [`Content_Length: 5\r\nTransfer_Encoding: chunked\r\n${LENGTH}`, BODY],
}

async function completed(from: number): Promise<string[]> {
  const requests = await Promise.allSettled(
    gateway.upstreams.openai.requests
      .slice(from)
      .map(async ({ target, body }) => `${target} ${Buffer.from(await body)}`),
  )
  return requests.flatMap((request) => (request.status === 'fulfilled' ? [request.value] : []))
}

for (const target of TARGETS) {
  test(`malformed framing is refused, and nothing behind it is taken for a request: ${target}`, async () => {
    const from = gateway.upstreams.openai.requests.length
    const verdicts = await Promise.all(
      Object.entries(MALFORMED).map(async ([label, [headerLines, body]]) => {
        const received = await sendUntilClosed(gateway.port, post(target, headerLines, body + SMUGGLED))
        return [label, received.match(/HTTP\/1\.1 \d+/g)?.join() ?? 'nothing'] as const
      }),
    )
    expect(Object.fromEntries(verdicts)).toEqual(all(Object.keys(MALFORMED), 'HTTP/1.1 400'))
    expect(await completed(from)).toEqual([])
  })

  test(`odd framing with one meaning is one request upstream, and the next one is the next: ${target}`, async () => {
    for (const [label, [headerLines, body]] of Object.entries(ODD)) {
      const from = gateway.upstreams.openai.requests.length
      const client = await openRawClient(gateway.port)
      client.write(post(target, headerLines, body + getText('/v1/next', { Authorization: 'Bearer sk-mine' })))
      await client.until((received) => splitResponses(received).length === 2)
      const answers = splitResponses(client.received()).map((response) => response.json())
      client.leave()
      expect([label, answers]).toEqual([label, [{ target }, { target: '/v1/next' }]])
      expect(await completed(from)).toEqual([`${target} ${BODY}`, '/v1/next '])
    }
  })

  test(`a chunked body that breaks off is never complete upstream: ${target}`, async () => {
    const from = gateway.upstreams.openai.requests.length
    const cuts = ['', SIZE, `${SIZE}\r\n`, `${SIZE}\r\n{`, `${SIZE}\r\n${BODY}`, `${SIZE}\r\n${BODY}\r\n`]
    const ends = ['0', '0\r', '0\r\n', '0\r\n\r', '0\r\nX: y\r\n'].map((end) => `${SIZE}\r\n${BODY}\r\n${end}`)
    for (const cut of [...cuts, ...ends]) {
      const client = await openRawClient(gateway.port)
      client.write(post(target, TE, cut))
      client.socket.end()
      await client.closed
    }
    expect(await completed(from)).toEqual([])
  })
}

test('a chunked body is not taken for complete before its end has been checked', async () => {
  const from = gateway.upstreams.openai.requests.length
  const shots = Array.from(
    { length: 150 },
    (_, index) => ['0\r\n\rX', '0\r\nX\0: y\r\n\r\n', '0\r\n\n', '0 \r\n\r\n'][index % 4],
  )
  const answers = await Promise.all(
    shots.map(async (end) => {
      const client = await openRawClient(gateway.port)
      client.write(post('/v1/chat/completions', TE, `${SIZE}\r\n${BODY}\r\n`))
      client.write(`${end}${SMUGGLED}`)
      await client.closed
      return client
        .received()
        .toString('latin1')
        .match(/HTTP\/1\.1 \d+/g)
        ?.join()
    }),
  )
  expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 400']))
  expect(await completed(from)).toEqual([])
})

test('pipelined requests are answered in order and never see swapped answers', async () => {
  gateway.upstreams.openai.play(async (request, { json }) => {
    await request.body
    // The first ones take longest, so that every answer but the last is overtaken upstream.
    const index = Number(new URLSearchParams(request.target.split('?')[1]).get('n') ?? 0)
    await new Promise((resolve) => void setTimeout(resolve, 40 - index * 8))
    json({ target: request.target })
  })
  const key = { Authorization: 'Bearer sk-mine' }
  const targets = [0, 1, 2, 3, 4].map((n) => `${n % 2 === 0 ? '/v1/models' : '/v1/chat/completions'}?n=${n}`)
  const bytes = targets.map((target) =>
    target.startsWith('/v1/models') ? getText(target, key) : postText(target, BODY, key),
  )
  const client = await openRawClient(gateway.port)
  client.write(bytes.join(''))
  await client.until((received) => splitResponses(received).length === targets.length)
  expect(splitResponses(client.received()).map((response) => response.json())).toEqual(
    targets.map((target) => ({ target })),
  )
  client.leave()
})

test('malformed bytes behind a request are never taken for its answer', async () => {
  const key = { Authorization: 'Bearer sk-mine' }
  const garbage = 'G@RBAGE / HTTP/9.9\r\n\r\n'
  const hold = Promise.withResolvers<void>()
  const before = gateway.upstreams.openai.requests.length
  gateway.upstreams.openai.play(async (request, { json }) => {
    await request.body
    await hold.promise
    json({ target: request.target })
  })
  const clients = await Promise.all(
    [getText('/v1/models', key), postText('/v1/chat/completions', BODY, key)].map(async (bytes) => {
      const client = await openRawClient(gateway.port)
      client.write(bytes + garbage)
      return client
    }),
  )
  await gateway.upstreams.openai.request(before + 2)
  hold.resolve()
  for (const client of clients) {
    await client.closed
    const [first, ...others] = client
      .received()
      .toString('latin1')
      .split(/(?=HTTP\/1\.1 )/)
    expect(first ?? '').toContain('HTTP/1.1 200')
    expect(others.join('')).not.toContain('HTTP/1.1 200')
  }
})

test('malformed bytes on a connection whose request has been answered get an answer of their own, and end it', async () => {
  const client = await openRawClient(gateway.port)
  client.write(getText('/health'))
  await client.until((received) => received.includes('{"status":"ok"}'))
  client.write('G@RBAGE / HTTP/9.9\r\n\r\n')
  await client.closed
  expect(
    client
      .received()
      .toString('latin1')
      .match(/HTTP\/1\.1 \d+/g),
  ).toEqual(['HTTP/1.1 200', 'HTTP/1.1 405'])
})

test('a chunked body in HTTP/1.0, which has no such thing, is refused or ends the connection', async () => {
  for (const target of TARGETS) {
    const bytes = post(target, TE, CHUNKED + SMUGGLED)
      .toString('latin1')
      .replace('HTTP/1.1', 'HTTP/1.0')
    const before = gateway.upstreams.openai.requests.length
    const received = await sendUntilClosed(gateway.port, bytes)
    expect(received.match(/HTTP\/1\.\d /g)).toHaveLength(1)
    expect(gateway.upstreams.openai.requests.slice(before).map((request) => request.target)).not.toContain(
      '/v1/smuggled',
    )
  }
})

test('a chunked upload that turns malformed in the midst of its answer breaks that answer, and adds none', async () => {
  gateway.upstreams.openai.play((_request, { startChunked, chunk }) => {
    startChunked(200, { 'content-type': 'application/octet-stream' })
    chunk('early')
  })
  const client = await openRawClient(gateway.port)
  client.write(post('/v1/files', TE, '5\r\nfirst\r\n'))
  await client.until((received) => received.includes('early'))
  client.write('nonsense\r\n')
  await client.closed
  const received = client.received().toString('latin1')
  expect(received.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  expect(received).not.toContain('\r\n0\r\n')
})

test('bytes that are no HTTP/1.1 end the connection with one answer of our shape', async () => {
  const from = gateway.upstreams.openai.requests.length
  const shots = {
    'HTTP/0.9': 'GET /v1/models\r\n\r\n',
    'HTTP/2.0': getText('/v1/models').replace('HTTP/1.1', 'HTTP/2.0'),
    'HTTP/1.2': getText('/v1/models').replace('HTTP/1.1', 'HTTP/1.2'),
    'a lower-case version': getText('/v1/models').replace('HTTP/1.1', 'http/1.1'),
    'the HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a TLS hello': '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03',
    'headers beyond 16 KiB': getText('/v1/models', { 'X-A': 'a'.repeat(20_000) }),
    'a target beyond 16 KiB': getText(`/v1/${'a'.repeat(20_000)}`),
    'NUL bytes': '\0\0\0\0\r\n\r\n',
  }
  for (const [label, bytes] of Object.entries(shots)) {
    const received = await sendUntilClosed(gateway.port, Buffer.from(bytes, 'latin1'))
    expect([label, received]).toEqual([
      label,
      expect.stringMatching(/^HTTP\/1\.1 4(00|05|31) [\s\S]*\{"error":\{"message":"/),
    ])
    expect(received.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  }
  expect(gateway.upstreams.openai.requests).toHaveLength(from)
})
