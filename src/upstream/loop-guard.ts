import type { Exchange } from '../exchange/exchange.ts'
import { ApiError } from '../openai/api-error.ts'

/** Notices requests that come back to the server that sent them on. */
export interface LoopGuard {
  /** Notes a request until its end. One that is equal to another under way is suspected. */
  readonly watch: (exchange: Exchange) => void
  /** Suspects a request: throws `loop_detected` where it has our mark, and has it marked where it goes on. */
  readonly suspect: (exchange: Exchange) => void
  /** Puts our mark into the headers of a call. */
  readonly mark: (headers: Headers) => void
}

/**
 * Whom a request has come through, so that loops are noticed (RFC 8586). Not `Via`: servers leave compression out where that
 * is, and here it says that the caller is no program of this machine's.
 */
const MARK = 'cdn-loop'

/** A request under way; what it holds is let go of with it, whatever comes in its place. */
class Turn {
  isOver = false
  readonly target: string
  readonly length: number | undefined

  constructor(target: string, length: number | undefined) {
    this.target = target
    this.length = length
  }
}

/** The last request of each kind is remembered, and kinds are as many as this; a power of two. */
const KINDS = 1024

/**
 * Makes the guard of one process.
 *
 * Nothing of ours goes upstream with a usual call. In a loop the second turn is equal to the first, which is still under way:
 * it gets the mark, and the third is refused. Who rewrites requests on the way does so the same way each time. Among many
 * others at once, a turn or two may be taken for a first one.
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
      const { requestTarget: target, body } = exchange
      const length = body === undefined ? 0 : body.length
      const kind = (target.length * 31 + (length ?? 0)) % KINDS
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
