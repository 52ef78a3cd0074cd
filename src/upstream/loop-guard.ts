import type { Exchange } from '../exchange/exchange.ts'
import { ApiError } from '../openai/api-error.ts'

/** Notices requests that come back to the server that sent them on. */
export interface LoopGuard {
  /** Notes a request until its end. A request that equals another one under way is suspected. */
  readonly watch: (exchange: Exchange) => void
  /** Suspects a request: throws `loop_detected` if it has our mark, and marks its calls. */
  readonly suspect: (exchange: Exchange) => void
  /** Puts our mark into the headers of a call. */
  readonly mark: (headers: Headers) => void
}

/**
 * The header that names the servers a request has come through, so that loops are noticed (RFC 8586). It is not `Via`: servers do
 * not compress if that is present, and here it says that the caller is no program of this machine.
 */
const MARK = 'cdn-loop'

/** A request under way. Its end is noted here, even if another request has taken its place by then. */
class Turn {
  isOver = false
  readonly target: string
  /** As the header tells it; null: the body is in chunks. */
  readonly length: string | null

  constructor(target: string, length: string | null) {
    this.target = target
    this.length = length
  }
}

/** The number of kinds, of each of which the last request is remembered; a power of two. */
const KINDS = 1024

/**
 * Makes the guard of one process.
 *
 * A usual call gets no mark. In a loop the second turn equals the first, which is still under way:
 * it gets the mark, and the third is refused. A server that rewrites requests on the way does so the same way each time. Among many
 * other requests at once, a turn or two may pass unnoticed.
 *
 * @example
 * const loops = createLoopGuard()
 * loops.watch(exchange)
 */
export function createLoopGuard(): LoopGuard {
  const name = `nexcode-${crypto.randomUUID()}`
  const turns: (Turn | undefined)[] = Array.from({ length: KINDS })

  const suspect = (exchange: Exchange): void => {
    if (exchange.request.headers.get(MARK)?.includes(name) === true) throw new ApiError('loop_detected')
    exchange.isMarked = true
  }
  return {
    suspect,
    watch(exchange) {
      const { requestTarget: target, body, request } = exchange
      // Not `body.length`: a body in chunks has one when all of it has come, and may come back in other packets.
      const length = body === undefined ? '0' : request.headers.get('content-length')
      const kind = (target.length * 31 + Number(length)) % KINDS
      const last = turns[kind]
      if (last?.isOver === false && last.length === length && last.target === target) suspect(exchange)
      const turn = new Turn(target, length)
      turns[kind] = turn
      exchange.atEnd(() => {
        turn.isOver = true
      })
    },
    mark(headers) {
      const others = headers.get(MARK)
      headers.set(MARK, others === null ? name : `${others}, ${name}`)
    },
  }
}
