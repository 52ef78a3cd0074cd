import { expect, test } from 'bun:test'
import { MemoryBudget } from '../../../../src/exchange/memory-budget.ts'
import type { SessionVerdict } from '../../../../src/metering/session/metered-session.ts'
import { ClientMessages, type ClientMessagesDeps } from '../../../../src/server/websocket/client-messages.ts'
import { frame } from '../../../helpers/websocket-peer.ts'

const MASK = [7, 42, 0, 255] as const
const mine = (kind: Parameters<typeof frame>[0], payload: string, isLast = true): Buffer =>
  frame(kind, payload, { isLast, mask: MASK })
const REFUSED: SessionVerdict = { reply: 'no', closing: undefined }

/** Messages whose judge notes what they say, refuses `bad`, and waits for `slow`. */
function subject(deps: Partial<ClientMessagesDeps> = {}) {
  const seen: string[] = []
  const refusals: SessionVerdict[] = []
  const ends: number[] = []
  const out: Uint8Array[] = []
  const slow = Promise.withResolvers<SessionVerdict | undefined>()
  const messages: ClientMessages = new ClientMessages({
    judge(payload, isText) {
      const text = new TextDecoder().decode(payload)
      seen.push(isText ? text : `binary ${text}`)
      return text === 'bad' ? REFUSED : text === 'slow' ? slow.promise : undefined
    },
    refuse: (verdict) => void refusals.push(verdict),
    giveUp(code) {
      ends.push(code)
      messages.close()
    },
    bytesMax: 1000,
    memory: undefined,
    ...deps,
  })
  messages.onBytes = (bytes) => void out.push(bytes)
  const add = (bytes: Uint8Array): void => void out.push(new Uint8Array(messages.add(bytes)))
  return { messages, seen, refusals, ends, slow, add, out: () => Buffer.concat(out) }
}

test.each([1, 3, 10_000])(
  'what may pass goes on as it came, in chunks of %d bytes, and the rest is left out',
  (size) => {
    const [good, bad, parts] = [mine('text', 'good'), mine('text', 'bad'), [mine('text', 'b', false), mine('ping', '')]]
    const stream = Buffer.concat([good, bad, mine('binary', 'x'), ...parts, mine('continuation', 'ad'), good])
    const one = subject()
    for (let at = 0; at < stream.byteLength; at += size) {
      const chunk = new Uint8Array(stream.subarray(at, at + size))
      one.add(chunk)
      chunk.fill(0)
    }
    expect(one.seen).toEqual(['good', 'bad', 'binary x', 'bad', 'good'])
    expect(one.refusals).toEqual([REFUSED, REFUSED])
    expect(one.out().equals(Buffer.concat([good, mine('binary', 'x'), mine('ping', ''), good]))).toBe(true)
  },
)

test('behind a message that waits all waits, and then goes on in its order', async () => {
  const one = subject()
  one.add(Buffer.concat([mine('text', 'slow'), mine('text', 'a'), mine('ping', '')]))
  one.add(mine('text', 'b'))
  expect([one.messages.isWaiting, one.seen, one.out().byteLength]).toEqual([true, ['slow'], 0])
  one.slow.resolve(undefined)
  await one.slow.promise
  await Promise.resolve()
  const all = [mine('text', 'slow'), mine('text', 'a'), mine('ping', ''), mine('text', 'b')]
  expect([one.messages.isWaiting, one.out().equals(Buffer.concat(all))]).toEqual([false, true])
})

test('one that waits and is refused is left out, and nothing goes on once the session is over', async () => {
  const one = subject()
  one.add(Buffer.concat([mine('text', 'slow'), mine('text', 'a')]))
  one.messages.end()
  one.slow.resolve(REFUSED)
  await one.slow.promise
  await Promise.resolve()
  expect([one.refusals, one.out().byteLength]).toEqual([[REFUSED], 0])
  expect(one.messages.add(mine('text', 'b')).byteLength).toBe(0)
})

test('frames that no WebSocket has, and messages that are too long, end it by their codes', () => {
  const compressed = frame('text', 'x', { isCompressed: true, mask: MASK })
  const cases: readonly (readonly [bytes: Uint8Array, code: number])[] = [
    [compressed, 1002],
    [mine('continuation', 'x'), 1002],
    [Buffer.concat([mine('text', 'x', false), mine('text', 'y')]), 1002],
    [mine('text', 'x'.repeat(1001)), 1009],
    [Buffer.concat([mine('text', 'x'.repeat(600), false), mine('continuation', 'x'.repeat(600))]), 1009],
  ]
  for (const [bytes, code] of cases) {
    const one = subject()
    one.add(bytes)
    one.add(mine('text', 'more'))
    expect([one.ends, one.out().byteLength]).toEqual([[code], 0])
  }
})

test('a long message counts as held until it has gone on, and is not taken where there is no memory', () => {
  const memory = new MemoryBudget(200_000)
  const long = mine('text', 'x'.repeat(60_000))
  const one = subject({ bytesMax: 1_000_000, memory })
  one.add(long)
  const head = Uint8Array.of(0x81, 0xff, 0, 0, 0, 0, 0, 2, 0, 0, ...MASK)
  one.add(head)
  expect(memory.usedBytes).toBe(head.byteLength + 131_072)
  one.add(new Uint8Array(131_072))
  expect([memory.usedBytes, one.seen.length]).toEqual([0, 2])
  memory.take(190_000)
  one.add(head)
  expect([one.ends, memory.usedBytes]).toEqual([[1013], 190_000])
})
