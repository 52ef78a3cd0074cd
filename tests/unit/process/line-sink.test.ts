import { expect, test } from 'bun:test'
import { createLineSink } from '../../../src/process/line-sink.ts'

const PIECE_BYTES = 4096

/** A reader that takes as much of each write as it is told, and throws EAGAIN for 0. */
function reader(taking: (call: number, bytes: number) => number) {
  const pieces: Buffer[] = []
  let calls = 0
  const writeSome = (_fd: number, bytes: Uint8Array): number => {
    const taken = taking(calls, bytes.byteLength)
    calls += 1
    if (taken === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' })
    pieces.push(Buffer.from(bytes.subarray(0, taken)))
    return taken
  }
  return { pieces, writeSome }
}

const line = (n: number): string => `{"n":${n},"text":"ein Gruß in voller Länge"}\n`

test('lines go out whole, in pieces of the size that was given, in order', () => {
  const { pieces, writeSome } = reader((_call, bytes) => bytes)
  const sink = createLineSink({ fd: -1, pieceBytes: PIECE_BYTES, writeSome })
  const lines = Array.from({ length: 1000 }, (_one, n) => line(n))
  for (const one of lines) sink.write(one)
  expect(pieces.length).toBeGreaterThan(10)
  sink.flush()
  expect(Buffer.concat(pieces).toString()).toBe(lines.join(''))
  expect(pieces.filter((piece) => piece.byteLength > PIECE_BYTES || piece.at(-1) !== 10)).toEqual([])
})

test('a line that is longer than a piece goes out all the same, in its place', async () => {
  const { pieces, writeSome } = reader((_call, bytes) => bytes)
  const sink = createLineSink({ fd: -1, pieceBytes: PIECE_BYTES, writeSome })
  const long = `"${'ß'.repeat(PIECE_BYTES)}"\n`
  for (const one of [line(1), long, line(2)]) sink.write(one)
  await sink.settle()
  expect(Buffer.concat(pieces).toString()).toBe(line(1) + long + line(2))
})

test('lines are held back for a moment, and then go out without being asked for', async () => {
  const gone = Promise.withResolvers<void>()
  const { pieces, writeSome } = reader((_call, bytes) => bytes)
  const sink = createLineSink({
    fd: -1,
    pieceBytes: PIECE_BYTES,
    writeSome: (fd, bytes) => {
      gone.resolve()
      return writeSome(fd, bytes)
    },
  })
  sink.write(line(1))
  sink.write(line(2))
  expect(pieces).toEqual([])
  await gone.promise
  expect(pieces.map(String)).toEqual([line(1) + line(2)])
})

test('what a full pipe does not take waits, and goes out in order when it takes more', async () => {
  const { pieces, writeSome } = reader((call, bytes) => (call % 3 === 0 ? 0 : Math.min(bytes, 700)))
  const sink = createLineSink({ fd: -1, pieceBytes: PIECE_BYTES, writeSome })
  const lines = Array.from({ length: 300 }, (_one, n) => line(n))
  for (const one of lines) sink.write(one)
  await sink.settle()
  expect(Buffer.concat(pieces).toString()).toBe(lines.join(''))
})

/** A reader that fails with an error of the system for as long as it is told. */
function failing(code: string) {
  const pieces: Buffer[] = []
  const state = { isFailing: true, calls: 0 }
  const writeSome = (_fd: number, bytes: Uint8Array): number => {
    state.calls += 1
    if (state.isFailing) throw Object.assign(new Error('no'), { code })
    pieces.push(Buffer.from(bytes))
    return bytes.byteLength
  }
  const lines = (): { n?: number; lines?: number; cause?: string; msg?: string }[] =>
    Buffer.concat(pieces)
      .toString()
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text))
  return { state, writeSome, lines }
}

test.each(['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG'])(
  'what %s keeps from being written goes out in order when it may',
  async (code) => {
    const { state, writeSome, lines } = failing(code)
    const sink = createLineSink({ fd: -1, pieceBytes: PIECE_BYTES, writeSome })
    for (let n = 0; n < 1000; n += 1) sink.write(line(n))
    state.isFailing = false
    await sink.settle()
    expect(lines().map(({ n }) => n)).toEqual(Array.from({ length: 1000 }, (_one, n) => n))
  },
)

test('lines whose reader has gone are lost at once; where another one comes, it gets the next ones, and is told of all that were lost', async () => {
  const { state, writeSome, lines } = failing('EPIPE')
  const sink = createLineSink({ fd: -1, pieceBytes: PIECE_BYTES, writeSome })
  for (let n = 0; n < 1000; n += 1) sink.write(line(n))
  sink.flush()
  state.isFailing = false
  sink.write(line(1000))
  await sink.settle()
  expect(lines()[0]?.n).toBe(1000)
  expect(lines()[1]).toMatchObject({
    level: 40,
    lines: 1000,
    cause: 'EPIPE',
    msg: expect.stringContaining('were lost'),
  })
  expect(lines()).toHaveLength(2)
})

test('a reader that takes nothing does not make the process grow: lines beyond 64 MiB are lost, and counted', async () => {
  let isFull = true
  const { pieces, writeSome } = reader((_call, bytes) => (isFull ? 0 : bytes))
  const sink = createLineSink({ fd: -1, pieceBytes: 64 * 1024, writeSome })
  const long = `"${'x'.repeat(60_000)}"\n`
  for (let n = 0; n < 1200; n += 1) sink.write(long)
  isFull = false
  await sink.settle()
  sink.flush()
  const lines = Buffer.concat(pieces).toString().trimEnd().split('\n')
  const last = JSON.parse(lines.at(-1) ?? '') as { lines: number; cause: string; msg: string }
  expect(last.msg).toContain('lost')
  expect(last.cause).toBe('EAGAIN')
  expect(lines.length - 1 + last.lines).toBe(1200)
  expect(last.lines).toBeGreaterThan(0)
})
