import { ApiError } from '../../openai/api-error.ts'
import type { Deadline } from '../../timing/deadlines.ts'
import type { Share, UnderWay } from '../under-way.ts'
import { ArrivedBody } from './arrived-body.ts'
import type { ClientSocket } from './client-socket.ts'
import { HeadReader } from './head-reader.ts'
import type { Http1Deps } from './http1-deps.ts'
import { LINGER_MS } from './linger.ts'
import { readRest } from './read-rest.ts'
import { type BodySource, RequestBody } from './request-body.ts'
import type { RequestHead } from './request-head.ts'
import { breakTurn, expectsContinue, keepsAlive, leaveTurn, type Turn, type TurnBody, wantsWebSocket } from './turn.ts'
import { UpgradedSocket } from './upgraded-socket.ts'
import { writeRefusal, writeResponse } from './write-response.ts'
import type { Written } from './written.ts'

/** Longer than the idle time of the usual load balancers (60 s), so that they close first and never race us. */
const KEEP_ALIVE_MS = 75_000
const NOTHING = Buffer.alloc(0)

/** One connection of a client: requests are read one after the other, and each is answered before the next is looked at. */
export class Connection implements BodySource {
  readonly #deps: Http1Deps
  readonly #underWay: UnderWay
  readonly #share: Share
  readonly #socket: ClientSocket
  readonly from: string
  readonly #keepAlive: Deadline
  readonly #reader: HeadReader
  #linger: Deadline | undefined
  #turn: Turn | undefined
  #upgraded: UpgradedSocket | undefined
  /** The last answer has been given: what still comes is not looked at. */
  #isOver = false
  /** One for all requests of the connection, as long as none is aborted: each costs more than it looks. */
  #abort = new AbortController()

  constructor(socket: ClientSocket, deps: Http1Deps, underWay: UnderWay) {
    this.#deps = deps
    this.#underWay = underWay
    this.#share = underWay.share()
    this.#socket = socket
    this.from = socket.from
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
    if (this.isIdle) this.#socket.close()
  }

  /** Closes it at once: what has been answered still arrives, an answer under way is broken. */
  abandon(): void {
    if (this.#isOver || this.isIdle) this.#socket.close()
    else this.#socket.reset()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  onFirstWait(): void {
    if (this.#turn !== undefined && expectsContinue(this.#turn)) this.#socket.writeContinue()
  }

  startUploadClock(onExpire: () => void): Deadline {
    return this.#deps.deadlines.start(this.#deps.uploadIdleMs, onExpire)
  }

  /** Breaks off what is being served, in a way that it does not look complete, and is recorded. */
  breakOff(reason: ApiError): void {
    if (this.#share.isServing && this.#turn !== undefined) breakTurn(this.#turn, reason)
    this.#upgraded?.destroy()
  }

  /** Whether no request is under way. */
  get isIdle(): boolean {
    return this.#turn === undefined && this.#upgraded === undefined
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
    const body = this.#bodyOf(head, rest)
    if (this.#abort.signal.aborted) this.#abort = new AbortController()
    const turn: Turn = { head, body, from: this.from, abort: this.#abort, isLast: !keepsAlive(head), isAnswered: false }
    this.#turn = turn
    this.#share.begin()
    this.#deps
      .serve(turn)
      .then((response) => this.#answer(turn, response))
      .catch((cause: unknown) => this.#fail(cause))
  }

  #bodyOf({ bodyBytes }: RequestHead, rest: Buffer | undefined): TurnBody {
    if (bodyBytes === 0) {
      this.#hold(rest)
      return ArrivedBody.NONE
    }
    if (rest?.byteLength === bodyBytes) return new ArrivedBody(rest)
    const body = new RequestBody(bodyBytes, this, this.#deps.uploadPace)
    if (rest !== undefined) this.#hold(body.feed(rest))
    return body
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
      this.#drop()
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
    if (written === 'complete' && !turn.body.isComplete && !this.#socket.isClosed)
      await readRest(turn.body, this.#deps.deadlines)
    this.#finish(turn, written)
  }

  #fail(cause: unknown): void {
    this.#deps.onDefect(cause)
    this.#drop()
  }

  #drop(): void {
    this.#socket.reset()
    this.#share.end()
  }

  /** Goes on with the next request, or ends the connection, with this answer's last byte or in the midst of it. */
  #finish(turn: Turn, written: Written): void {
    if (this.#socket.isClosed || written === 'reset') this.#drop()
    else if (written === 'broken' || turn.isLast) {
      turn.isLast = true
      this.#end()
      this.#share.end()
    } else {
      this.#turn = undefined
      this.#socket.resume()
      if (this.#reader.hasBytes) this.#read()
      else if (this.#underWay.isClosing()) this.#socket.close()
      else this.#keepAlive.touch()
      if (this.#turn === undefined) this.#share.end()
    }
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
      (defect: unknown) => this.#fail(defect),
    )
  }

  #upgrade(onUpgrade: NonNullable<Http1Deps['onUpgrade']>, head: RequestHead, rest: Buffer): void {
    const upgraded = new UpgradedSocket(this.#socket)
    this.#upgraded = upgraded
    this.#share.begin()
    upgraded.once('close', () => this.#share.end())
    onUpgrade(head, upgraded, rest, this.from)
  }
}
