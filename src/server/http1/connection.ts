import { ApiError } from '../../openai/api-error.ts'
import type { Deadline } from '../../timing/deadlines.ts'
import { type ClientSocket, LINGER_MS } from './client-socket.ts'
import type { HeadMemory } from './head-memory.ts'
import { HeadReader } from './head-reader.ts'
import type { InFlight, InFlightSlot } from './in-flight.ts'
import { type RequestHead, wantsWebSocket } from './request-head.ts'
import { Transaction, type TransactionDeps, type Written } from './transaction.ts'
import { UpgradedSocket } from './upgraded-socket.ts'
import { writeRefusal, writeResponse } from './write-response.ts'

/** Longer than the idle time of the usual load balancers (60 s), so that they close first and no request meets a closed connection. */
const KEEP_ALIVE_MS = 75_000

/** The dependencies of a connection, with the handlers of its requests. */
export interface ConnectionDeps extends TransactionDeps {
  /** Answers a request; undefined: the connection is to be reset. Rejects only for a defect, which resets it too. */
  readonly serve: (transaction: Transaction) => Promise<Response | undefined>
  /** Takes a WebSocket upgrade: its socket, and the bytes behind the head. Absent: an upgrade is ignored (RFC 9110 §7.8). */
  readonly onUpgrade?: (head: RequestHead, socket: UpgradedSocket, rest: Uint8Array, from: string) => void
  /** Makes the answer to bytes that are no request. */
  readonly refuse: (error: ApiError) => Response
  readonly onDefect: (cause: unknown) => void
}

/** One connection of a client: requests are read one after the other, and each is answered before the next is looked at. */
export class Connection {
  readonly #deps: ConnectionDeps
  readonly #slot: InFlightSlot
  readonly #socket: ClientSocket
  readonly from: string
  /** Closes an idle connection, and one whose client does not close it behind the last answer. */
  #closing: Deadline
  readonly #reader: HeadReader
  #transaction: Transaction | undefined
  #upgraded: UpgradedSocket | undefined
  /** Whether the last answer has been given: bytes that still come are not looked at. */
  #isOver = false
  /** One for all requests of the connection, as long as none is aborted: making one for each is expensive. */
  #abort = new AbortController()

  constructor(socket: ClientSocket, memory: HeadMemory, deps: ConnectionDeps, inFlight: InFlight) {
    this.#deps = deps
    this.#slot = inFlight.slot()
    this.#socket = socket
    this.from = socket.from
    this.#reader = new HeadReader(memory, deps.deadlines, (error) => this.#refuse(error))
    this.#closing = deps.deadlines.start(KEEP_ALIVE_MS, () => this.#socket.close())
  }

  /** Takes bytes that the client has sent. */
  onData(bytes: Buffer): void {
    if (this.#upgraded !== undefined) this.#upgraded.onData(bytes)
    else if (this.#transaction !== undefined) this.#hold(this.#transaction.feed(bytes))
    else if (!this.#isOver) this.#read(bytes)
  }

  /** The client has sent its last byte. It wants its answer no more: a client that leaves looks just the same. */
  onEnd(): void {
    this.#upgraded?.onEnd()
    this.#transaction?.leave()
    if (this.#upgraded === undefined) this.#socket.close()
  }

  /** The system takes more of the bytes that wait. */
  onDrain(): void {
    this.#socket.onDrain()
  }

  /** The connection is gone. */
  onClose(): void {
    this.#socket.onClose()
    this.#closing.clear()
    this.#reader.stop()
    this.#upgraded?.onClose()
    this.#transaction?.leave()
  }

  /** Closes the connection where no request is under way. */
  closeIfIdle(): void {
    if (this.isIdle) this.#socket.close()
  }

  /** Closes the connection at once: an answer that has been written still arrives, an answer under way is broken. */
  abandon(): void {
    if (this.#isOver || this.isIdle) this.#socket.close()
    else this.#socket.reset()
  }

  /** Breaks off the answer under way, so that it does not look complete and is recorded. */
  breakOff(reason: ApiError): void {
    if (this.#slot.isTaken) this.#transaction?.breakOff(reason)
    this.#upgraded?.destroy()
  }

  /** Whether no request is under way. */
  get isIdle(): boolean {
    return this.#transaction === undefined && this.#upgraded === undefined
  }

  /** Looks for the next request in the bytes that have come. */
  #read(bytes?: Buffer): void {
    this.#closing.suspend()
    try {
      const found = this.#reader.read(bytes)
      if (found === undefined) return
      if (this.#deps.onUpgrade !== undefined && wantsWebSocket(found.head)) this.#upgrade(found.head, found.rest)
      else this.#start(found.head, found.rest)
    } catch (cause) {
      this.#refuse(cause)
    }
  }

  /** Starts the transaction of a request whose head has come; `rest` are the bytes behind it. Throws `malformed_request`. */
  #start(head: RequestHead, rest: Buffer | undefined): void {
    if (this.#abort.signal.aborted) this.#abort = new AbortController()
    const transaction = new Transaction(head, rest, this.#abort, this.#socket, this.#deps)
    if (rest !== undefined && rest.byteLength !== head.bodyBytes) this.#hold(transaction.body.feed(rest))
    this.#transaction = transaction
    this.#slot.take()
    this.#deps
      .serve(transaction)
      .then((response) => (response === undefined ? this.#drop() : this.#answer(transaction, response)))
      .catch((cause: unknown) => this.#fail(cause))
  }

  /** Keeps bytes of the next request. Where there is no room for more, the client is paused until its request is answered. */
  #hold(bytes: Buffer | undefined): void {
    if (bytes !== undefined && this.#transaction?.isLast !== true && !this.#reader.hold(bytes)) this.#socket.pause()
  }

  #answer(transaction: Transaction, response: Response): void {
    // The rest of an unread body would be taken for the next request: the head has to announce the end of the connection.
    if (!transaction.body.isComplete || this.#slot.isClosing) transaction.isLast = true
    const written = writeResponse(response, transaction, this.#socket)
    if (written === 'complete' && this.#socket.isFlushed) this.#finish(transaction, written)
    else this.#finishLater(transaction, written).catch((cause: unknown) => this.#fail(cause))
  }

  async #finishLater(transaction: Transaction, writing: Written | Promise<Written>): Promise<void> {
    const written = await writing
    if (!this.#socket.isFlushed) await this.#socket.flushed()
    if (written === 'complete' && !transaction.body.isComplete && !this.#socket.isClosed) await transaction.readRest()
    this.#finish(transaction, written)
  }

  #fail(cause: unknown): void {
    this.#deps.onDefect(cause)
    this.#drop()
  }

  #drop(): void {
    this.#socket.reset()
    this.#slot.release()
  }

  /** Goes on with the next request, or ends the connection: behind this answer's last byte, or in the midst of it. */
  #finish(transaction: Transaction, written: Written): void {
    if (this.#socket.isClosed || written === 'reset') this.#drop()
    else if (written === 'broken' || transaction.isLast) {
      transaction.isLast = true
      this.#end()
    } else {
      this.#transaction = undefined
      this.#socket.resume()
      if (this.#reader.hasBytes) this.#read()
      else if (this.#slot.isClosing) this.#socket.close()
      else this.#closing.touch()
      if (this.#transaction === undefined) this.#slot.release()
    }
  }

  /** Ends our side, and waits a moment for the client to end its own. */
  #end(): void {
    this.#isOver = true
    this.#socket.endWhenWritten()
    this.#closing.clear()
    this.#slot.release()
    this.#closing = this.#deps.deadlines.start(LINGER_MS, () => this.#socket.close())
  }

  #refuse(cause: unknown): void {
    this.#isOver = true
    this.#reader.stop()
    const error = cause instanceof ApiError ? cause : new ApiError('internal_error', { cause })
    writeRefusal(this.#deps.refuse(error), this.#socket).then(
      () => this.#end(),
      (defect: unknown) => this.#fail(defect),
    )
  }

  #upgrade(head: RequestHead, rest: Buffer | undefined): void {
    const upgraded = new UpgradedSocket(this.#socket)
    this.#upgraded = upgraded
    this.#slot.take()
    upgraded.once('close', () => this.#slot.release())
    this.#deps.onUpgrade?.(head, upgraded, rest ?? Buffer.alloc(0), this.from)
  }
}
