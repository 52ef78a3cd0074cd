import { ApiError } from '../../openai/api-error.ts'
import type { Deadline } from '../../timing/deadlines.ts'
import type { UnderWay } from '../under-way.ts'
import type { ClientSocket } from './client-socket.ts'
import type { Http1Deps } from './http1-deps.ts'
import { RequestBody } from './request-body.ts'
import { type RequestHead, readRequestHead } from './request-head.ts'
import { breakTurn, keepsAlive, leaveTurn, type Turn, wantsWebSocket } from './turn.ts'
import { UpgradedSocket } from './upgraded-socket.ts'
import { type Written, writeRefusal, writeResponse } from './write-response.ts'

/** Longer than the idle time of the usual load balancers (60 s), so that they close first and never race us. */
const KEEP_ALIVE_MS = 75_000
/** A head that drips is cut: the guard against slowloris. */
const HEAD_MS = 15_000
/**
 * How long a client that has its last answer may go on sending: one that meets a closed connection while it writes
 * takes that for the outcome, and never looks at the answer.
 */
const LINGER_MS = 2_000
/** Requests that are sent ahead of their turn are kept to this extent; then the client is not read until it comes. */
const PIPELINED_BYTES_MAX = 64 * 1024
const NOTHING = Buffer.alloc(0)
const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')

/** One connection of a client: requests are read one after the other, and each is answered before the next is looked at. */
export class Connection {
  readonly #deps: Http1Deps
  readonly #underWay: UnderWay
  readonly #socket: ClientSocket
  readonly #keepAlive: Deadline
  #headTime: Deadline | undefined
  #held: Buffer = NOTHING
  #turn: Turn | undefined
  #upgraded: UpgradedSocket | undefined
  /** The last answer is being given: what comes is not taken for a request. */
  #isLast = false
  /** Everything has been said. */
  #isOver = false

  constructor(socket: ClientSocket, deps: Http1Deps, underWay: UnderWay) {
    this.#deps = deps
    this.#underWay = underWay
    this.#socket = socket
    this.#keepAlive = deps.deadlines.start(KEEP_ALIVE_MS, () => this.#socket.close())
  }

  /** Takes what the client has sent. */
  onData(bytes: Buffer): void {
    if (this.#upgraded !== undefined) this.#upgraded.onData(bytes)
    else if (this.#turn !== undefined) this.#feed(this.#turn, bytes)
    else if (!this.#isLast) this.#read(bytes)
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
    this.#headTime?.clear()
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

  #read(bytes: Buffer): void {
    const all = this.#held.byteLength === 0 ? bytes : Buffer.concat([this.#held, bytes])
    this.#held = NOTHING
    this.#keepAlive.suspend()
    let head: RequestHead | undefined
    try {
      head = readRequestHead(all)
    } catch (cause) {
      this.#refuse(cause)
      return
    }
    if (head !== undefined) {
      this.#start(head, all.subarray(head.end))
      return
    }
    this.#held = all
    this.#headTime ??= this.#deps.deadlines.start(HEAD_MS, () => this.#refuse(new ApiError('upload_timeout')))
  }

  #start(head: RequestHead, rest: Buffer): void {
    this.#headTime?.clear()
    this.#headTime = undefined
    if (this.#deps.onUpgrade !== undefined && wantsWebSocket(head)) {
      this.#upgrade(this.#deps.onUpgrade, head, rest)
      return
    }
    const turn: Turn = { head, body: this.#bodyOf(head), abort: new AbortController(), isAnswered: false }
    if (rest.byteLength > 0) {
      try {
        this.#hold(turn.body.feed(rest))
      } catch (cause) {
        this.#refuse(cause)
        return
      }
    }
    this.#turn = turn
    this.#answer(turn).catch((cause: unknown) => {
      this.#deps.onDefect(cause)
      this.#socket.reset()
    })
  }

  #bodyOf(head: RequestHead): RequestBody {
    return new RequestBody(head.bodyBytes, {
      deadlines: this.#deps.deadlines,
      idleMs: this.#deps.uploadIdleMs,
      pause: () => this.#socket.pause(),
      resume: () => this.#socket.resume(),
      onFirstWait: () => {
        if (head.isHttp10 || this.#turn?.isAnswered === true) return
        if (head.headers.get('expect')?.toLowerCase() === '100-continue') this.#socket.write(CONTINUE)
      },
    })
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
      this.#isLast = true
      breakTurn(turn, cause instanceof ApiError ? cause : new ApiError('malformed_request', { cause }))
    }
  }

  #hold(bytes: Buffer): void {
    if (bytes.byteLength === 0 || this.#isLast) return
    this.#held = this.#held.byteLength === 0 ? bytes : Buffer.concat([this.#held, bytes])
    if (this.#held.byteLength > PIPELINED_BYTES_MAX) this.#socket.pause()
  }

  async #answer(turn: Turn): Promise<void> {
    const done = this.#underWay.add((reason) => breakTurn(turn, reason))
    try {
      const response = await this.#deps.serve(turn)
      if (response === undefined) return this.#socket.reset()
      // The head says so while it can: what is still unread then would be taken for the next request.
      this.#isLast ||=
        !turn.body.isComplete ||
        !keepsAlive(turn.head) ||
        this.#underWay.isClosing() ||
        response.headers.get('connection') === 'close'
      const writing = writeResponse(response, turn, this.#socket, this.#isLast)
      const written = typeof writing === 'string' ? writing : await writing
      if (!this.#socket.isFlushed) await this.#socket.flushed()
      await this.#finish(turn, written)
    } finally {
      done()
    }
  }

  /** Goes on with the next request, or ends the connection, with this answer's last byte or in the midst of it. */
  async #finish(turn: Turn, written: Written): Promise<void> {
    if (this.#socket.isClosed) return
    if (written === 'reset') return this.#socket.reset()
    if (written === 'complete' && !this.#isLast) {
      this.#turn = undefined
      this.#socket.resume()
      if (this.#held.byteLength > 0) this.#read(NOTHING)
      else if (this.#underWay.isClosing()) this.#socket.close()
      else this.#keepAlive.touch()
      return
    }
    this.#isLast = true
    if (written === 'complete' && !turn.body.isComplete) await this.#readRest(turn)
    this.#end()
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
    this.#headTime = this.#deps.deadlines.start(LINGER_MS, () => this.#socket.close())
  }

  #refuse(cause: unknown): void {
    this.#isLast = true
    this.#headTime?.clear()
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
    const done = this.#underWay.add(() => upgraded.destroy())
    upgraded.once('close', done)
    onUpgrade(head, upgraded, rest)
  }
}
