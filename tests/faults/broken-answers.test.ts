import { afterAll, beforeAll, expect, test } from 'bun:test'
import { ignoreRejection } from '../../src/formats/ignore-rejection.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { hasHead } from '../helpers/received-answers.ts'
import type { Arrival } from '../helpers/scripted-upstream.ts'
import { CHAT, type RequestParts } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

const TIMER_MS = 1000
const PATIENCE_MS = 60_000

/**
 * Each kind of request has a gateway of its own, so that a fault can strike all of them at once. Faults that a timer ends meet quick ones;
 * for all others the timers are long, so that none comes first, also on a machine that stands still for a while.
 */
const quick: TestGateway<'openai'>[] = []
const patient: TestGateway<'openai'>[] = []

beforeAll(async () => {
  for (const [gateways, ms] of [
    [quick, String(TIMER_MS)],
    [patient, String(PATIENCE_MS)],
  ] as const) {
    const env = { FIRST_BYTE_TIMEOUT_MS: ms, STREAM_IDLE_TIMEOUT_MS: ms }
    const start = () => startGateway({ upstreams: { openai: byHand }, env, command: gatewayCommand() })
    gateways.push(...(await Promise.all(SHOTS.map(start))))
  }
})

afterAll(() => Promise.all([...quick, ...patient].map((gateway) => gateway.stop())))

type Fault = (connection: Arrival['connection'], headSeen: () => Promise<unknown>) => void

/** A fault that strikes once the client has the answer's head. */
const behindHead =
  (begin: Fault, strike: (connection: Arrival['connection']) => void): Fault =>
  (connection, headSeen) => {
    begin(connection, headSeen)
    void ignoreRejection(headSeen().then(() => strike(connection)))
  }

/** How the client may see it end: with one of our errors, or with a connection that breaks off. */
type End = 'upstream_unreachable' | 'upstream_invalid_response' | 'upstream_timeout' | 'broken'

const head = (lines: string): string => `HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`
const every = (connection: Arrival['connection'], text: string): void => {
  const timer = setInterval(() => {
    if (connection.socket.writableLength < 1_000_000) connection.write(text)
  }, 1)
  connection.socket.on('close', () => clearInterval(timer))
}

const FAULTS: readonly (readonly [string, readonly End[], Fault])[] = [
  ['a reset before headers', ['upstream_unreachable'], (c) => c.reset()],
  ['an end before headers', ['upstream_unreachable'], (c) => c.socket.end()],
  ['a stall before headers', ['upstream_timeout'], () => undefined],
  [
    'a reset within the head',
    ['upstream_unreachable'],
    (c) => {
      c.write('HTTP/1.1 200 OK\r\ncontent-le')
      setTimeout(c.reset, 20)
    },
  ],
  [
    'an end within the head',
    ['upstream_unreachable'],
    (c) => {
      c.write('HTTP/1.1 200 OK\r\ncontent-le')
      c.socket.end()
    },
  ],
  ['a stall within the head', ['upstream_timeout'], (c) => c.write('HTTP/1.1 200 OK\r\ncontent-le')],
  [
    'a reset mid-body',
    ['upstream_unreachable'],
    (c) => {
      c.write(`${head('content-type: application/json\r\ncontent-length: 50')}{`)
      setTimeout(c.reset, 20)
    },
  ],
  [
    'a short length',
    ['upstream_unreachable'],
    (c) => {
      c.write(`${head('content-type: application/json\r\ncontent-length: 50')}{`)
      c.socket.end()
    },
  ],
  [
    'a stall mid-body',
    ['upstream_timeout'],
    (c) => c.write(`${head('content-type: application/json\r\ncontent-length: 50')}{`),
  ],
  [
    'a reset mid-body of no JSON',
    ['broken'],
    behindHead(
      (c) => c.write(`${head('content-type: audio/mpeg\r\ncontent-length: 50')}{`),
      (c) => c.reset(),
    ),
  ],
  [
    'a short length of no JSON',
    ['broken'],
    behindHead(
      (c) => c.write(`${head('content-type: audio/mpeg\r\ncontent-length: 50')}{`),
      (c) => c.socket.end(),
    ),
  ],
  [
    'a stall mid-body of no JSON',
    ['broken'],
    (c) => c.write(`${head('content-type: audio/mpeg\r\ncontent-length: 50')}{`),
  ],
  [
    'a reset mid-stream',
    ['broken'],
    behindHead(
      (c) => {
        c.startChunked(200, SSE)
        c.chunk('data: 1\n\n')
      },
      (c) => c.reset(),
    ),
  ],
  [
    'an end mid-stream',
    ['broken'],
    (c) => {
      c.startChunked(200, SSE)
      c.chunk('data: 1\n\n')
      c.socket.end()
    },
  ],
  [
    'a stall mid-stream',
    ['broken'],
    (c) => {
      c.startChunked(200, SSE)
      c.chunk('data: 1\n\n')
    },
  ],
  ['a stall before the first event', ['broken'], (c) => c.startChunked(200, SSE)],
  ['garbage', ['upstream_invalid_response', 'upstream_timeout'], (c) => c.write('hello\r\n\r\n')],
  [
    'binary garbage',
    ['upstream_invalid_response', 'upstream_unreachable', 'upstream_timeout'],
    (c) => c.write(new Uint8Array(2000).fill(200)),
  ],
  ['a status line that is none', ['upstream_invalid_response'], (c) => c.write('HTTP/1.1 abc OK\r\n\r\n')],
  [
    'a control character in a header',
    ['upstream_invalid_response'],
    (c) => c.write(head('x: a\x01b\r\ncontent-length: 0')),
  ],
  [
    'two lengths',
    ['upstream_unreachable', 'upstream_invalid_response'],
    (c) => c.write(`${head('content-length: 2\r\ncontent-length: 3')}{}`),
  ],
  [
    'a negative length',
    ['upstream_unreachable', 'upstream_invalid_response'],
    (c) => c.write(`${head('content-length: -2')}{}`),
  ],
  [
    'a chunk size that is none',
    ['broken'],
    behindHead(
      (c) => c.write(head('transfer-encoding: chunked')),
      (c) => c.write('zz\r\n{}\r\n'),
    ),
  ],
  [
    'a chunk size too large',
    ['broken'],
    behindHead(
      (c) => c.write(head('transfer-encoding: chunked')),
      (c) => c.write('fffffffffffffffff\r\n{}\r\n'),
    ),
  ],
  [
    'a chunk longer than its size',
    ['broken'],
    behindHead(
      (c) => c.write(head('transfer-encoding: chunked')),
      (c) => c.write('2\r\nabcdef\r\n0\r\n\r\n'),
    ),
  ],
  [
    'a negative chunk size',
    ['broken'],
    behindHead(
      (c) => c.write(head('transfer-encoding: chunked')),
      (c) => c.write('-2\r\nab\r\n0\r\n\r\n'),
    ),
  ],
  ['endless headers', ['upstream_invalid_response'], (c) => every(c, `x-a: ${'a'.repeat(4000)}\r\n`.repeat(10))],
  [
    'one endless header',
    ['upstream_invalid_response', 'upstream_timeout'],
    (c) => {
      c.write('HTTP/1.1 200 OK\r\nx: ')
      every(c, 'a'.repeat(40_000))
    },
  ],
  ['a flood of 100 Continue', ['upstream_timeout'], (c) => every(c, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(500))],
  [
    'a flood of 103 Early Hints',
    ['upstream_timeout'],
    (c) => every(c, 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(500)),
  ],
  [
    'a switch of protocols that nobody asked for',
    ['upstream_unreachable', 'upstream_invalid_response'],
    (c) => c.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
  ],
]

const SHOTS: readonly RequestParts[] = [
  { body: CHAT },
  { method: 'GET', target: '/v1/models', body: null },
  { method: 'PUT', target: '/v1/things/a' },
]

/** A connection that is kept, so that the fault strikes on one that has served before. */
async function warmUp(gateway: TestGateway<'openai'>): Promise<void> {
  const { client } = await gateway.send({ body: CHAT })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.json({ ok: true })
  expect((await client.response()).status).toBe(200)
  client.leave()
}

async function suffer(
  gateway: TestGateway<'openai'>,
  shot: RequestParts,
  ends: readonly End[],
  strike: Fault,
): Promise<void> {
  await warmUp(gateway)
  const before = gateway.upstreams.openai.requests.length
  const startedAt = performance.now()
  const { client, record } = await gateway.send(shot)
  const { connection } = await gateway.upstreams.openai.arrival()
  strike(connection, () => client.until(hasHead))
  const response = await within(
    TIMER_MS + AT_ONCE_MS,
    'the end',
    client.response().catch(() => undefined),
  )
  expect(performance.now() - startedAt).toBeLessThan(TIMER_MS + AT_ONCE_MS)
  const isTyped = response !== undefined && response.status >= 500 && response.isComplete
  const end = isTyped ? (response.json() as { error: { code: string } }).error.code : 'broken'
  if (!isTyped) expect(response?.isComplete ?? false).toBe(false)
  expect(ends as readonly string[]).toContain(end)
  const line = await record()
  expect(line).toMatchObject({ outcome: 'failed', attempts: 1 })
  if (isTyped) expect(line).toMatchObject({ error: end, status: response.status })
  await within(AT_ONCE_MS, "closing upstream's connection", connection.closed)
  expect(gateway.upstreams.openai.requests.length).toBe(before + 1)
  client.leave()
}

test.each(FAULTS)(
  'chat, GET and PUT: %s ends typed or visibly broken, within its timer, with exactly one upstream request',
  async (fault, ends, strike) => {
    const gateways = fault.startsWith('a stall') || ends.includes('upstream_timeout') ? quick : patient
    await Promise.all(gateways.map((gateway, index) => suffer(gateway, SHOTS[index] ?? {}, ends, strike)))
  },
)

test('after all these faults the gateway serves the next request, and nothing went to stderr', async () => {
  for (const gateway of [...quick, ...patient]) {
    await warmUp(gateway)
    expect(gateway.child?.exitCode).toBeNull()
    expect(gateway.stderr()).toBe('')
    expect(gateway.lines.filter(({ level }) => Number(level) >= 50)).toEqual([])
  }
})
