import type { Deadline, Deadlines } from '../../timing/deadlines.ts'
import type { FrameTarget } from './frame.ts'
import { networkOf } from './network-of.ts'
import type { Stalled, StalledClients } from './stalled-clients.ts'

/** Tells a client to send its body (RFC 9110 §15.2.1). */
const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')

/**
 * How long a peer that has been sent everything may take to close, in milliseconds. Closing first could reset bytes that it has not
 * read, and a peer that meets a closed connection while it writes takes that for the outcome.
 */
export const LINGER_MS = 2_000

/** A client's end of a connection: bytes that the system does not take at once wait here, and the wait is watched. */
export class ClientSocket implements FrameTarget, Stalled {
  readonly #socket: Bun.Socket<unknown>
  readonly #deadlines: Deadlines
  readonly #writeIdleMs: number
  readonly #stalled: StalledClients
  #backlog: Uint8Array[] = []
  #stall: Deadline | undefined
  #isPaused = false
  #endsWhenWritten = false
  #waiting: (() => void)[] = []
  #onClosed: (() => void) | undefined
  /** The client's network, as far as its address tells. */
  readonly from: string
  /** Whether nothing more can be written: it was closed by either side. */
  isClosed = false

  constructor(socket: Bun.Socket<unknown>, deadlines: Deadlines, writeIdleMs: number, stalled: StalledClients) {
    this.#socket = socket
    this.from = networkOf(socket.remoteAddress)
    this.#deadlines = deadlines
    this.#writeIdleMs = writeIdleMs
    this.#stalled = stalled
  }

  /** Whether everything written so far is in the system's hands. */
  get isFlushed(): boolean {
    return this.#backlog.length === 0
  }

  /** Writes, and returns whether the system has taken all of it; where not, wait for `flushed`. */
  write(bytes: Uint8Array): boolean {
    return this.#put(bytes, bytes.byteLength, false)
  }

  /** Writes the first bytes of a buffer that is used again: the bytes that the system does not take are copied. */
  writeScratch(scratch: Buffer, length: number): boolean {
    return this.#put(scratch, length, true)
  }

  /** Asks for the body with `100 Continue`. */
  writeContinue(): void {
    this.write(CONTINUE)
  }

  /** Resolves when everything written is in the system's hands, or the connection is closed. */
  flushed(): Promise<void> {
    if (this.isFlushed || this.isClosed) return Promise.resolve()
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  /** Ends our side when everything written has left: a FIN, never a reset. The client may still send. */
  endWhenWritten(): void {
    this.#endsWhenWritten = true
    if (this.isFlushed && !this.isClosed) this.#socket.shutdown()
  }

  /** Closes at once, so that no answer looks complete: bytes that wait are dropped, and the client sees a reset. */
  reset(): void {
    if (!this.isClosed) this.#socket.terminate()
  }

  /** Closes both sides at once; bytes that the system has taken still arrive. */
  close(): void {
    if (!this.isClosed) this.#socket.end()
  }

  pause(): void {
    if (!this.#isPaused && !this.isClosed) this.#socket.pause()
    this.#isPaused = true
  }

  resume(): void {
    if (this.#isPaused && !this.isClosed) this.#socket.resume()
    this.#isPaused = false
  }

  /** Calls back when the connection is closed. There is one such callback: a new one replaces it. */
  onceClosed(callback: (() => void) | undefined): void {
    if (this.isClosed) callback?.()
    else this.#onClosed = callback
  }

  /** To be called when the system takes more. */
  onDrain(): void {
    if (this.#backlog.length > 0 && this.#flush()) this.#onMove()
  }

  /** To be called when the connection is closed. */
  onClose(): void {
    this.isClosed = true
    this.#backlog = []
    this.#settle()
    this.#onClosed?.()
  }

  #put(bytes: Uint8Array, length: number, isUsedAgain: boolean): boolean {
    if (this.isClosed) return true
    const taken = this.isFlushed ? this.#socket.write(bytes, 0, length) : 0
    // A negative count comes from a socket that is closing; its close event follows.
    if (taken === length || taken < 0) return true
    const rest = bytes.subarray(taken, length)
    this.#backlog.push(isUsedAgain ? new Uint8Array(rest) : rest)
    if (this.#backlog.length === 1) this.#watch()
    this.#stalled.add(this, rest.byteLength)
    return false
  }

  /** Returns whether the system has taken anything. */
  #flush(): boolean {
    let hasMoved = false
    for (;;) {
      const [first] = this.#backlog
      if (first === undefined) break
      const taken = this.#socket.write(first)
      if (taken <= 0) return hasMoved
      hasMoved = true
      if (taken < first.byteLength) {
        this.#backlog[0] = first.subarray(taken)
        return true
      }
      this.#backlog.shift()
    }
    this.#settle()
    if (this.#endsWhenWritten) this.#socket.shutdown()
    return hasMoved
  }

  /** Cuts a client that takes none of the bytes that wait for it. A client that takes a little, however slowly, goes on. */
  #watch(): void {
    this.#stall = this.#deadlines.start(this.#writeIdleMs, () => {
      // The system reports room only when there is a lot of it, so it is tried once more before the cut.
      if (!this.#flush()) this.reset()
      else if (this.#backlog.length > 0) {
        this.#watch()
        this.#onMove()
      }
    })
  }

  #onMove(): void {
    this.#stall?.touch()
    this.#stalled.moved(this)
  }

  #settle(): void {
    this.#stall?.clear()
    this.#stall = undefined
    this.#stalled.end(this)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
