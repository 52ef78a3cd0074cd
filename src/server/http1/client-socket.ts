import type { Deadline, Deadlines } from '../../timing/deadlines.ts'
import type { FrameTarget } from './frame.ts'
import { networkOf } from './network-of.ts'
import type { Stalled, StalledClients } from './stalled-clients.ts'

/** Tells a client to send its body (RFC 9110 §15.2.1). */
const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')

/** A client's end of a connection: what the system does not take at once waits here, and is watched. */
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
  /** Whose it is, as far as its address tells. */
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

  /** Writes, and returns whether the system has taken it all; where not, wait for `flushed`. */
  write(bytes: Uint8Array): boolean {
    return this.#put(bytes, bytes.byteLength, false)
  }

  /** Writes the first bytes of a buffer that is used again: what the system does not take of them is copied. */
  writeScratch(scratch: Buffer, length: number): boolean {
    return this.#put(scratch, length, true)
  }

  /** Asks for the body. */
  writeContinue(): void {
    this.write(CONTINUE)
  }

  /** Resolves when everything written is in the system's hands, or the connection is closed. */
  flushed(): Promise<void> {
    if (this.isFlushed || this.isClosed) return Promise.resolve()
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  /** Ends our side behind what has been written: a FIN, never a reset. The other side may still send. */
  endWhenWritten(): void {
    this.#endsWhenWritten = true
    if (this.isFlushed && !this.isClosed) this.#socket.shutdown()
  }

  /** Closes at once, in the way that no answer looks complete: what waits is dropped, and the client sees a reset. */
  reset(): void {
    if (!this.isClosed) this.#socket.terminate()
  }

  /** Closes both sides at once; what the system has taken still arrives. */
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

  /** Calls back when the connection is closed; there is one such callback, the last one given. */
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
    // Less than nothing: a socket that is closing, whose close event follows.
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

  /** Cuts a client that takes nothing of what waits for it; one that takes little, however slowly, goes on. */
  #watch(): void {
    this.#stall = this.#deadlines.start(this.#writeIdleMs, () => {
      // The system tells only of much room: it is asked once more before the verdict.
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
