import { writeSync } from 'node:fs'
import type { LogSink } from '../telemetry/open-log.ts'
import { openNonBlocking } from './open-non-blocking.ts'

/** The descriptor that a sink writes to, and the size of its writes. */
export interface LineSinkOptions {
  readonly fd: number
  /** The largest write, in whole lines; only a single longer line exceeds it. */
  readonly pieceBytes: number
  /** Writes, and returns how many bytes the system has taken. Throws the system's error when it takes none. */
  readonly writeSome?: (fd: number, bytes: Uint8Array, from: number) => number
}

const LF = 0x0a
/** How long lines are held back, so that a busy server writes many at once. */
const HOLD_MS = 100
/** The pause before a reader that takes nothing is tried again. */
const RETRY_MS = 20
/** The pause before a full disk, or a pipe without a reader, is tried again. */
const TROUBLE_RETRY_MS = 250
/** The longest wait for a slow reader of the last lines. */
const SETTLE_MS = 5_000
/** The most bytes that wait for a reader that takes nothing; beyond it, lines are dropped and counted. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024

/**
 * Opens a sink of log lines. A line costs one copy into a buffer that is used again; the buffer goes out when it is full,
 * or 100 ms after its first line.
 *
 * A reader that takes nothing, or a full disk, never holds the process up: up to 64 MiB are kept, lines beyond that are lost, and a line
 * of the log says how many when writing works again. When a reader has left, its lines are lost at once; another reader may come.
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

class Sink {
  readonly #target: number
  readonly #pieceBytes: number
  readonly #writeSome: NonNullable<LineSinkOptions['writeSome']>
  readonly #open: Buffer
  #fd: number | undefined
  #used = 0
  /** The pieces that have not been taken yet. */
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #lost = 0
  /** The code of the last write's failure; undefined: it did not fail. */
  #trouble: string | undefined
  /** The code for which lines were lost. */
  #lostBy = ''
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(target: number, pieceBytes: number, writeSome: NonNullable<LineSinkOptions['writeSome']>) {
    this.#target = target
    this.#pieceBytes = pieceBytes
    this.#writeSome = writeSome
    this.#open = Buffer.allocUnsafe(pieceBytes)
  }

  take(line: string): void {
    if (this.#waitingBytes > WAITING_BYTES_MAX) {
      this.#lose(1)
      return
    }
    // A character takes at most three bytes; bytes are counted only when there may not be room.
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
    while (this.#holdsAny && performance.now() < giveUpAt) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
      this.#send()
    }
  }

  async settle(): Promise<void> {
    const giveUpAt = performance.now() + SETTLE_MS
    this.#send()
    while (this.#holdsAny && performance.now() < giveUpAt) {
      await new Promise((resolve) => void setTimeout(resolve, RETRY_MS))
      this.#send()
    }
  }

  get #holdsAny(): boolean {
    return this.#waiting.length > 0 || this.#used > 0
  }

  #onTimer(): void {
    this.#timer = undefined
    this.#send()
    if (this.#waiting.length > 0) this.#tryAgain()
  }

  /** Plans another write, while pieces wait. */
  #tryAgain(): void {
    const isSlow = this.#trouble === undefined || this.#trouble === 'EAGAIN'
    this.#timer ??= setTimeout(() => this.#onTimer(), isSlow ? RETRY_MS : TROUBLE_RETRY_MS)
  }

  /** Writes the buffer, and keeps the bytes that the system does not take. */
  #send(): void {
    this.#writeWaiting()
    if (this.#used > 0) {
      const piece = this.#open.subarray(0, this.#used)
      this.#used = 0
      const written = this.#waiting.length > 0 ? 0 : this.#write(piece)
      if (written < piece.byteLength) this.#keep(piece.subarray(written))
    }
    if (this.#lost > 0 && this.#trouble === undefined && this.#waiting.length === 0) this.#tellLoss()
  }

  #keep(piece: Uint8Array): void {
    this.#waiting.push(new Uint8Array(piece))
    this.#waitingBytes += piece.byteLength
    this.#tryAgain()
  }

  #writeWaiting(): void {
    for (let piece = this.#waiting[0]; piece !== undefined; piece = this.#waiting[0]) {
      const written = this.#write(piece)
      this.#waitingBytes -= written
      if (written < piece.byteLength) {
        this.#waiting[0] = piece.subarray(written)
        return
      }
      this.#waiting.shift()
    }
  }

  /** Returns how many bytes are done with: the system has taken them, or they have lost their reader. */
  #write(piece: Uint8Array): number {
    this.#fd ??= openNonBlocking(this.#target)
    try {
      const written = this.#writeSome(this.#fd, piece, 0)
      this.#trouble = undefined
      return written
    } catch (cause) {
      this.#trouble = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
      if (this.#trouble !== 'EPIPE') return 0
      this.#lose(piece.reduce((lines, byte) => (byte === LF ? lines + 1 : lines), 0))
      return piece.byteLength
    }
  }

  #lose(lines: number): void {
    this.#lost += lines
    this.#lostBy = this.#trouble ?? this.#lostBy
  }

  #tellLoss(): void {
    const lost = this.#lost
    this.#lost = 0
    const time = new Date().toISOString()
    this.take(
      `{"level":40,"time":"${time}","lines":${lost},"cause":"${this.#lostBy}","msg":"lines of the log were lost: they could not be written"}\n`,
    )
  }
}
