import type { MemoryBudget } from '../../exchange/memory-budget.ts'
import { joinBytes } from '../../formats/bytes/join-bytes.ts'
import type { SessionVerdict } from '../../metering/session/metered-session.ts'
import { type FrameHead, frameAt } from './frame-head.ts'
import type { ByteFilter } from './pour.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** The judge of a client's messages, and what is done about one that may not pass. */
export interface ClientMessagesDeps {
  /** undefined: it may pass. A promise: it waits, and so does all that comes behind it. */
  readonly judge: (payload: Bytes, isText: boolean) => SessionVerdict | undefined | Promise<SessionVerdict | undefined>
  readonly refuse: (verdict: SessionVerdict) => void
  /** The session can't go on, for a reason of WebSocket's own codes. */
  readonly giveUp: (code: number, reason: string) => void
  /** The longest message that is taken. */
  readonly bytesMax: number
  /** Counts the bytes of long messages until they have come; undefined: they are not counted. */
  readonly memory: MemoryBudget | undefined
}

const NOTHING: Bytes = new Uint8Array()
/** Shorter messages are not counted as held memory. */
const COUNTED_BYTES_MIN = 64 * 1024
const [LAST, RESERVED, KIND, TEXT] = [0x80, 0x70, 0x0f, 1]
const CONTROL_MIN = 8
/** Codes of RFC 6455 §7.4.1. */
const [PROTOCOL_ERROR, TOO_BIG, TRY_LATER] = [1002, 1009, 1013]

/**
 * Has the messages of a client judged before they go on: each is held until it is whole, and decided. Its frames go on as they came; those of
 * a message that may not pass are left out. Pings pass by a message that is not whole yet.
 */
export class ClientMessages implements ByteFilter {
  onBytes: ((bytes: Uint8Array) => void) | undefined
  isWaiting = false
  isOver = false
  readonly #deps: ClientMessagesDeps
  /** What has come of frames that are not complete, or wait. */
  #parts: Uint8Array[] = []
  #partBytes = 0
  #wanted = 0
  /** The frames of a message that is not whole yet, and what they say. */
  #frames: Uint8Array[] = []
  #payloads: Bytes[] = []
  #isText = false
  #messageBytes = 0
  #takenBytes = 0

  constructor(deps: ClientMessagesDeps) {
    this.#deps = deps
  }

  add(chunk: Uint8Array): Uint8Array {
    if (this.isOver) return NOTHING
    // The bytes are the socket's, which may use them again.
    this.#parts.push(new Uint8Array(chunk))
    this.#partBytes += chunk.byteLength
    return this.isWaiting || this.#partBytes < this.#wanted ? NOTHING : joinBytes(this.#pass())
  }

  /** Nothing more comes: a message that is not whole will not be. */
  end(): Uint8Array {
    this.close()
    return NOTHING
  }

  /** Lets nothing pass any more. */
  close(): void {
    this.isOver = true
    this.#parts = []
    this.#frames = []
    this.#payloads = []
    this.#giveBack()
  }

  #pass(): Uint8Array[] {
    const ready: Uint8Array[] = []
    const bytes = joinBytes(this.#parts)
    let at = 0
    this.#wanted = 0
    while (!this.isWaiting && !this.isOver && this.#wanted === 0) {
      const frame = frameAt(bytes, at)
      if (frame === undefined) this.#wanted = bytes.byteLength - at + 1
      else if (!this.#fits(frame)) break
      else if (at + frame.bytes > bytes.byteLength) this.#wanted = frame.bytes
      else {
        this.#take(bytes.subarray(at, at + frame.bytes), frame, ready)
        at += frame.bytes
      }
    }
    this.#parts = this.isOver ? [] : [bytes.subarray(at)]
    this.#partBytes = bytes.byteLength - at
    return ready
  }

  /** Whether there is room for a frame; ends the session where there is none. */
  #fits({ bytes }: FrameHead): boolean {
    const { bytesMax, memory, giveUp } = this.#deps
    const needed = this.#messageBytes + bytes
    if (needed > bytesMax) giveUp(TOO_BIG, 'message too big')
    else if (needed > COUNTED_BYTES_MIN && needed > this.#takenBytes && memory !== undefined) {
      if (memory.take(needed - this.#takenBytes)) this.#takenBytes = needed
      else giveUp(TRY_LATER, 'out of memory')
    }
    return !this.isOver
  }

  #take(frame: Bytes, head: FrameHead, ready: Uint8Array[]): void {
    const kind = head.first & KIND
    if (kind >= CONTROL_MIN) {
      ready.push(frame)
      return
    }
    // A frame that goes on with nothing, begins in the middle of another message, or is compressed though nobody has offered that.
    if ((kind === 0) !== this.#frames.length > 0 || (head.first & RESERVED) !== 0) {
      this.#deps.giveUp(PROTOCOL_ERROR, 'protocol error')
      return
    }
    if (kind !== 0) this.#isText = kind === TEXT
    this.#frames.push(frame)
    this.#payloads.push(payloadOf(frame, head))
    this.#messageBytes += frame.byteLength
    if ((head.first & LAST) !== 0) this.#judge(ready)
  }

  #judge(ready: Uint8Array[]): void {
    const frames = this.#frames
    const [only, ...more] = this.#payloads
    const payload = only === undefined || more.length > 0 ? joinBytes(this.#payloads) : only
    this.#frames = []
    this.#payloads = []
    this.#messageBytes = 0
    const judging = this.#deps.judge(payload, this.#isText)
    if (judging instanceof Promise) {
      this.isWaiting = true
      void judging.then((verdict) => this.#decided(verdict, frames))
      return
    }
    this.#giveBack()
    if (judging === undefined) ready.push(...frames)
    else this.#deps.refuse(judging)
  }

  #decided(verdict: SessionVerdict | undefined, frames: readonly Uint8Array[]): void {
    this.isWaiting = false
    this.#giveBack()
    if (verdict !== undefined) this.#deps.refuse(verdict)
    const ready = this.isOver ? [] : [...(verdict === undefined ? frames : []), ...this.#pass()]
    this.onBytes?.(joinBytes(ready))
  }

  #giveBack(): void {
    if (this.#takenBytes > 0) this.#deps.memory?.give(this.#takenBytes)
    this.#takenBytes = 0
  }
}

/** What a frame says, without its mask (§5.3). */
function payloadOf(frame: Uint8Array, { maskAt, payloadAt }: FrameHead): Bytes {
  const payload = new Uint8Array(frame.subarray(payloadAt))
  if (maskAt === -1) return payload
  const mask = frame.subarray(maskAt, payloadAt)
  for (let at = 0; at < payload.byteLength; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0)
  return payload
}
