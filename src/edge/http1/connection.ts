import { ApiError } from '../../openai/api-error.ts'
import type { Deadline } from '../../timing/deadlines.ts'
import type { Breakable, UnderWay } from '../under-way.ts'
import type { ClientSocket } from './client-socket.ts'
import { HeadReader } from './head-reader.ts'
import type { Http1Deps } from './http1-deps.ts'
import { type BodySource, RequestBody } from './request-body.ts'
import type { RequestHead } from './request-head.ts'
import { breakTurn, keepsAlive, leaveTurn, type Turn, wantsWebSocket } from './turn.ts'
import { UpgradedSocket } from './upgraded-socket.ts'
import { type Written, writeRefusal, writeResponse } from './write-response.ts'

/** Longer than the idle time of the usual load balancers (60 s), so that they close first and never race us. */
const KEEP_ALIVE_MS = 75_000
/**
 * How long a client that has its last answer may go on sending: one that meets a closed connection while it writes
 * takes that for the outcome, and never looks at the answer.
 */
const LINGER_MS = 2_000
const NOTHING = Buffer.alloc(0)
const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')

/** One connection of a client: requests are read one after the other, and each is answered before the next is looked at. */
export class Connection implements BodySource, Breakable {
  readonly #deps: Http1Deps
  readonly #underWay: UnderWay
  readonly #socket: ClientSocket
  readonly #keepAlive: Deadline
  readonly #reader: HeadReader
  #linger: Deadline | undefined
  #turn: Turn | undefined
  #upgraded: UpgradedSocket | undefined
  /** The last answer has been given: what still comes is not looked at. */
  #isOver = false

  constructor(socket: ClientSocket, deps: Http1Deps, underWay: UnderWay) {
    this.#deps = deps
    this.#underWay = underWay
    this.#socket = socket
    this.#reader = new HeadReader(deps.deadlines, (error) => this.#refuse(error))
    this.#keepAlive = deps.deadlines.start(KEEP_ALIVE_MS, () => this.#socket.close())
  }

  /** Takes what the client has sent. */
  onData(bytes: Buffer): void {
    if (this.#upgraded !== undefined) this.#upgraded.onData(bytes)
    else if (this.#turn !== undefined) this.#feed(this.#turn, bytes)
    else if (!this.#isOver) this.#read(bytes)
  }

  /** The client has sent its last byte. What it asked for is wanted no more: one that leaves looks just so. */
  onEnd(): void {
    if (this.#upgraded !== undefined) this.#upgraded.onEnd()
    else {
      if (this.#turn !== undefined) leaveTurn(this.#turn)
      this.#socket.close()
    }
  }

  /** The system takes more of what waits. */
  onDrain(): void {
    this.#socket.onDrain()
  }

  /** The connection is gone. */
  onClose(): void {
    this.#socket.onClose()
    this.#keepAlive.clear()
    this.#reader.stop()
    this.#linger?.clear()
    this.#upgraded?.onClose()
    if (this.#turn !== undefined) leaveTurn(this.#turn)
  }

  /** Closes it where no request is under way. */
  closeIfIdle(): void {
    if (this.#turn === undefined && this.#upgraded === undefined) this.#socket.close()
  }

  /** Closes it at once: what has been answered still arrives, an answer under way is broken. */
  abandon(): void {
    if (this.#isOver || (this.#turn === undefined && this.#upgraded === undefined)) this.#socket.close()
    else this.#socket.reset()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  onFirstWait(): void {
    const turn = this.#turn
    if (turn === undefined || turn.isAnswered || turn.head.isHttp10) return
    if (turn.head.request.headers.get('expect')?.toLowerCase() === '100-continue') this.#socket.write(CONTINUE)
  }

  startUploadClock(onExpire: () => void): Deadline {
    return this.#deps.deadlines.start(this.#deps.uploadIdleMs, onExpire)
  }

  breakOff(reason: ApiError): void {
    if (this.#turn !== undefined) breakTurn(this.#turn, reason)
    this.#upgraded?.destroy()
  }

  /** Looks for the next request in what has come. */
  #read(bytes?: Buffer): void {
    this.#keepAlive.suspend()
    try {
      const found = this.#reader.read(bytes)
      if (found !== undefined) this.#start(found.head, found.rest)
    } catch (cause) {
      this.#refuse(cause)
    }
  }

  /** Starts the turn of a request whose head has come; `rest` is what came behind it. Throws `malformed_request`. */
  #start(head: RequestHead, rest: Buffer | undefined): void {
    if (this.#deps.onUpgrade !== undefined && wantsWebSocket(head)) {
      this.#upgrade(this.#deps.onUpgrade, head, rest ?? NOTHING)
      return
    }
    const body = new RequestBody(head.bodyBytes, this)
    if (rest !== undefined) this.#hold(body.feed(rest))
    const turn: Turn = { head, body, abort: new AbortController(), isLast: !keepsAlive(head), isAnswered: false }
    this.#turn = turn
    this.#underWay.add(this)
    this.#deps.serve(turn).then(
      (response) => this.#answer(turn, response),
      (cause: unknown) => this.#fail(cause),
    )
  }

  /** Takes bytes that come while a request is under way: of its body, or of the next one. */
  #feed(turn: Turn, bytes: Buffer): void {
    if (turn.body.isComplete) {
      this.#hold(bytes)
      return
    }
    try {
      const rest = turn.body.feed(bytes)
      turn.body.settle()
      this.#hold(rest)
    } catch (cause) {
      turn.isLast = true
      breakTurn(turn, cause instanceof ApiError ? cause : new ApiError('malformed_request', { cause }))
    }
  }

  #hold(bytes: Buffer | undefined): void {
    if (bytes === undefined || this.#turn?.isLast === true) return
    // Then the client is not read until the turn comes.
    if (!this.#reader.hold(bytes)) this.#socket.pause()
  }

  #answer(turn: Turn, response: Response | undefined): void {
    if (response === undefined) {
      this.#underWay.remove(this)
      this.#socket.reset()
      return
    }
    // The head says so while it can: what is still unread then would be taken for the next request.
    if (!turn.body.isComplete || this.#underWay.isClosing()) turn.isLast = true
    const written = writeResponse(response, turn, this.#socket)
    if (written === 'complete' && this.#socket.isFlushed) this.#finish(turn, written)
    else this.#finishLater(turn, written).catch((cause: unknown) => this.#fail(cause))
  }

  async #finishLater(turn: Turn, writing: Written | Promise<Written>): Promise<void> {
    const written = await writing
    if (!this.#socket.isFlushed) await this.#socket.flushed()
    if (written === 'complete' && !turn.body.isComplete && !this.#socket.isClosed) await this.#readRest(turn)
    this.#finish(turn, written)
  }

  #fail(cause: unknown): void {
    this.#deps.onDefect(cause)
    this.#underWay.remove(this)
    this.#socket.reset()
  }

  /** Goes on with the next request, or ends the connection, with this answer's last byte or in the midst of it. */
  #finish(turn: Turn, written: Written): void {
    if (this.#socket.isClosed || written === 'reset') {
      this.#socket.reset()
      this.#underWay.remove(this)
    } else if (written === 'broken' || turn.isLast) {
      turn.isLast = true
      this.#end()
      this.#underWay.remove(this)
    } else {
      this.#turn = undefined
      this.#socket.resume()
      if (this.#reader.hasBytes) this.#read()
      else if (this.#underWay.isClosing()) this.#socket.close()
      else this.#keepAlive.touch()
      if (this.#turn === undefined) this.#underWay.remove(this)
    }
  }

  /** Reads what is still sent of a body, for a moment; what nobody wants of it is dropped. */
  #readRest({ body }: Turn): Promise<void> {
    return new Promise((resolve) => {
      const limit = this.#deps.deadlines.start(LINGER_MS, resolve)
      body.onceOver(() => {
        limit.clear()
        resolve()
      })
      // What is being read is still on its way to the upstream, which takes it at its own pace.
      if (!body.isBeingRead) body.drop()
    })
  }

  /** Says goodbye, and waits a moment for the client's own. */
  #end(): void {
    this.#isOver = true
    this.#socket.endWhenWritten()
    this.#keepAlive.clear()
    this.#linger = this.#deps.deadlines.start(LINGER_MS, () => this.#socket.close())
  }

  #refuse(cause: unknown): void {
    this.#isOver = true
    this.#reader.stop()
    const error = cause instanceof ApiError ? cause : new ApiError('internal_error', { cause })
    writeRefusal(this.#deps.refuse(error), this.#socket).then(
      () => this.#end(),
      (defect: unknown) => {
        this.#deps.onDefect(defect)
        this.#socket.reset()
      },
    )
  }

  #upgrade(onUpgrade: NonNullable<Http1Deps['onUpgrade']>, head: RequestHead, rest: Buffer): void {
    const upgraded = new UpgradedSocket(this.#socket)
    this.#upgraded = upgraded
    this.#underWay.add(this)
    upgraded.once('close', () => this.#underWay.remove(this))
    onUpgrade(head, upgraded, rest)
  }
}
