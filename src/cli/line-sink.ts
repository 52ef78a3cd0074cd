import { constants, fstatSync, openSync, writeSync } from 'node:fs'
import type { LogSink } from '../telemetry/open-log.ts'

/** What a sink writes to, and how much of it at once. */
export interface LineSinkOptions {
  readonly fd: number
  /** Pieces are whole lines, and no larger than this, unless a single line is. */
  readonly pieceBytes: number
  /** Writes what the system takes at once, and returns how much that was; throws EAGAIN where it takes nothing. */
  readonly writeSome?: (fd: number, bytes: Uint8Array, from: number) => number
}

/** Lines are held back for so long, so that a busy server writes many at once. */
const HOLD_MS = 100
/** How soon a reader that takes nothing is tried again. */
const RETRY_MS = 20
/** How long a slow reader of the last lines is waited for. */
const SETTLE_MS = 5_000
/** As much waits for a reader that takes nothing; then lines are dropped and counted, rather than the process grow. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024

/**
 * Opens a sink of log lines. A line costs one copy into a buffer that is used again; the buffer goes out when it is full,
 * or 100 ms after its first line.
 *
 * A pipe whose reader takes nothing never holds the process up: what it does not take is kept up to 64 MiB, and how
 * many lines were lost beyond that is said in a line of its own.
 *
 * @example
 * const sink = createLineSink({ fd: 1, pieceBytes: 64 * 1024 })
 * const { log } = openLog({ level: 'info', format: 'json', sink })
 */
export function createLineSink({ fd, pieceBytes, writeSome = writeSync }: LineSinkOptions): LogSink {
  const sink = new Sink(fd, pieceBytes, writeSome)
  return {
    write: (line) => sink.take(line),
    flush: () => sink.flush(),
    settle: () => sink.settle(),
  }
}

/** A pipe is opened once more, for this process alone, so as to be told and not held where it is full. */
function withoutWaiting(fd: number): number {
  try {
    if (!fstatSync(fd).isFIFO()) return fd
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return fd
  }
}

class Sink {
  readonly #target: number
  readonly #pieceBytes: number
  readonly #writeSome: NonNullable<LineSinkOptions['writeSome']>
  readonly #open: Buffer
  #fd: number | undefined
  #used = 0
  /** What the reader has not taken yet. */
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #lost = 0
  #isBroken = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(target: number, pieceBytes: number, writeSome: NonNullable<LineSinkOptions['writeSome']>) {
    this.#target = target
    this.#pieceBytes = pieceBytes
    this.#writeSome = writeSome
    this.#open = Buffer.allocUnsafe(pieceBytes)
  }

  take(line: string): void {
    if (this.#isBroken) return
    if (this.#waitingBytes > WAITING_BYTES_MAX) {
      this.#lost += 1
      return
    }
    // A character takes three bytes at the most; counting them is for when there may not be room.
    if (line.length * 3 > this.#pieceBytes - this.#used) {
      const bytes = Buffer.byteLength(line)
      if (bytes > this.#pieceBytes - this.#used) this.#send()
      if (bytes > this.#pieceBytes) {
        this.#keep(Buffer.from(line))
        return
      }
    }
    this.#used += this.#open.write(line, this.#used)
    this.#timer ??= setTimeout(() => this.#onTimer(), HOLD_MS)
  }

  flush(): void {
    const giveUpAt = performance.now() + SETTLE_MS
    this.#send()
    while (this.#waiting.length > 0 && performance.now() < giveUpAt) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
      this.#writeWaiting()
    }
  }

  async settle(): Promise<void> {
    const giveUpAt = performance.now() + SETTLE_MS
    this.#send()
    while (this.#waiting.length > 0 && performance.now() < giveUpAt) {
      await new Promise((resolve) => void setTimeout(resolve, RETRY_MS))
      this.#writeWaiting()
    }
  }

  #onTimer(): void {
    this.#timer = undefined
    this.#send()
    // As long as the reader is behind, it is asked again.
    if (this.#waiting.length > 0) this.#timer ??= setTimeout(() => this.#onTimer(), RETRY_MS)
  }

  /** Writes what has been taken, and keeps what of it the reader does not take. */
  #send(): void {
    this.#writeWaiting()
    if (this.#used === 0) return
    const piece = this.#open.subarray(0, this.#used)
    this.#used = 0
    const written = this.#waiting.length > 0 ? 0 : this.#write(piece)
    if (written < piece.byteLength) this.#keep(piece.subarray(written))
  }

  #keep(piece: Uint8Array): void {
    if (this.#isBroken) return
    this.#waiting.push(new Uint8Array(piece))
    this.#waitingBytes += piece.byteLength
    this.#timer ??= setTimeout(() => this.#onTimer(), RETRY_MS)
  }

  #writeWaiting(): void {
    for (let piece = this.#waiting[0]; piece !== undefined; piece = this.#waiting[0]) {
      const written = this.#write(piece)
      this.#waitingBytes -= written
      if (written < piece.byteLength) {
        if (this.#waiting.length > 0) this.#waiting[0] = piece.subarray(written)
        return
      }
      this.#waiting.shift()
    }
    if (this.#lost > 0) this.#tellLoss()
  }

  /** Returns how much the system has taken. */
  #write(piece: Uint8Array): number {
    this.#fd ??= withoutWaiting(this.#target)
    try {
      return this.#writeSome(this.#fd, piece, 0)
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'EAGAIN') return 0
      // Nobody will ever read it.
      this.#isBroken = true
      this.#waiting = []
      this.#waitingBytes = 0
      return piece.byteLength
    }
  }

  #tellLoss(): void {
    const lost = this.#lost
    this.#lost = 0
    const time = new Date().toISOString()
    this.take(`{"level":40,"time":"${time}","lines":${lost},"msg":"lines of the log were lost: nobody took them"}\n`)
  }
}
