import { Duplex } from 'node:stream'
import type { ClientSocket } from './client-socket.ts'

/** The raw socket of a connection that has stopped speaking HTTP, as a duplex stream. */
export class UpgradedSocket extends Duplex {
  readonly #client: ClientSocket

  constructor(client: ClientSocket) {
    super({ allowHalfOpen: true })
    this.#client = client
  }

  /** Takes bytes that have come. */
  onData(bytes: Uint8Array): void {
    if (!this.push(bytes)) this.#client.pause()
  }

  /** The client will send no more. */
  onEnd(): void {
    this.push(null)
    // A paused socket never reports its end, nor the close that follows.
    this.#client.resume()
  }

  /** The connection is closed. */
  onClose(): void {
    this.destroy()
  }

  override _read(): void {
    this.#client.resume()
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    if (this.#client.write(chunk)) done()
    else void this.#client.flushed().then(done)
  }

  override _final(done: () => void): void {
    this.#client.endWhenWritten()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#client.close()
    done(error)
  }
}
