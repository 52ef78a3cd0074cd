import { expect, test } from 'bun:test'
import { errorEvent, keepAlive } from '../../../src/answers/own-events.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import type { Deadlines } from '../../../src/timing/deadlines.ts'
import { streamByHand } from '../../helpers/stream-by-hand.ts'
import { collectStream, streamOf } from './collect-stream.ts'

/** No comment, no blank line: see there. */
const PING = ' \n'

/** Deadlines whose time passes when the test says so. */
function manualDeadlines(): {
  readonly deadlines: Deadlines
  readonly pass: () => void
  readonly running: () => number
} {
  const running = new Set<() => void>()
  return {
    running: () => running.size,
    pass() {
      const due = [...running]
      running.clear()
      for (const expire of due) expire()
    },
    deadlines: {
      start(_limitMs, onExpire) {
        running.add(onExpire)
        return { touch() {}, suspend() {}, clear: () => void running.delete(onExpire) }
      },
    },
  }
}

/** Lets whatever is ready run. */
const settle = (): Promise<void> => Bun.sleep(0)

const decode = ({ value }: { readonly value?: Uint8Array | undefined }): string => new TextDecoder().decode(value)

test('a silent stream gets a line that says nothing at each event boundary, from its very start', async () => {
  const time = manualDeadlines()
  const { stream: source, give } = streamByHand()
  const reader = keepAlive(source, 50, time.deadlines).getReader()
  const first = reader.read()
  await settle()
  time.pass()
  expect(decode(await first)).toBe(PING)
  const second = reader.read()
  give('data: 1\r\n\r\n')
  expect(decode(await second)).toBe('data: 1\r\n\r\n')
  const third = reader.read()
  await settle()
  time.pass()
  expect(decode(await third)).toBe(PING)
  await reader.cancel()
})

test('in the midst of an event there is no ping, also where its end has come in two chunks', async () => {
  const time = manualDeadlines()
  const { stream: source, give } = streamByHand()
  const reader = keepAlive(source, 50, time.deadlines).getReader()
  const first = reader.read()
  give('data: 1\n')
  await first
  const second = reader.read()
  await settle()
  time.pass()
  time.pass()
  give('\n')
  expect(decode(await second)).toBe('\n')
  const third = reader.read()
  await settle()
  time.pass()
  expect(decode(await third)).toBe(PING)
  await reader.cancel()
})

test('pings do not pile up before a client that takes nothing', async () => {
  const time = manualDeadlines()
  const { stream: source, give } = streamByHand()
  const reader = keepAlive(source, 50, time.deadlines).getReader()
  const first = reader.read()
  await settle()
  for (let times = 0; times < 5; times += 1) time.pass()
  await first
  give('data: 1\n\n')
  expect(decode(await reader.read())).toBe(PING)
  expect(decode(await reader.read())).toBe('data: 1\n\n')
  await reader.cancel()
})

test('the end and the break of the source go on, and no clock is left running', async () => {
  const time = manualDeadlines()
  expect(await collectStream(keepAlive(streamOf(['data: 1\n\n', 'data: 2\n\n']), 50, time.deadlines))).toMatchObject({
    text: 'data: 1\n\ndata: 2\n\n',
    isBroken: false,
  })
  expect(await collectStream(keepAlive(streamOf(['data: 1\n\n'], new Error('x')), 50, time.deadlines))).toMatchObject({
    isBroken: true,
  })
  expect(time.running()).toBe(0)
})

test('a reader that leaves cancels the source, and no clock is left running', async () => {
  const time = manualDeadlines()
  const { stream: source, cancelled } = streamByHand()
  const reader = keepAlive(source, 50, time.deadlines).getReader()
  const pending = reader.read()
  await settle()
  expect(time.running()).toBe(1)
  await reader.cancel()
  await pending
  expect(cancelled).toHaveLength(1)
  expect(time.running()).toBe(0)
})

const CHAT = { protocol: 'openai', id: 'req_1' } as const

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('a chat stream that breaks off gets a last `data: {"error":…}` event with all four keys', () => {
  const event = new TextDecoder().decode(errorEvent(bytes('}\n\n'), new Error('ECONNRESET at 10.0.0.7'), CHAT))
  expect(event).toBe(
    'data: {"error":{"message":"Upstream connection closed before the stream was complete.","type":"server_error","param":null,"code":"upstream_unreachable"}}\n\n',
  )
  const ours = new ApiError('upstream_unreachable', { cause: new Error('ECONNRESET') })
  expect(new TextDecoder().decode(errorEvent(bytes(''), ours, CHAT))).toBe(event)
})

test('the last event says that it was a time limit, where it was one', () => {
  const event = new TextDecoder().decode(errorEvent(bytes(''), new ApiError('upstream_timeout'), CHAT))
  expect(JSON.parse(event.slice('data: '.length))).toEqual(new ApiError('upstream_timeout').body)
})

test('in the midst of an event there is no last event', () => {
  expect(errorEvent(bytes('"de'), new Error('reset'), CHAT)).toBeUndefined()
})

test("a stream of messages gets its last event in Anthropic's form, with the name by which its SDKs know it", () => {
  const told = { protocol: 'anthropic', id: 'req_1' } as const
  const event = new TextDecoder().decode(errorEvent(bytes('}\n\n'), new ApiError('upstream_timeout'), told))
  const { message } = new ApiError('upstream_timeout')
  expect(event).toBe(
    `event: error\ndata: {"type":"error","error":{"type":"timeout_error","message":"${message}","code":"upstream_timeout"},"request_id":"req_1"}\n\n`,
  )
})
