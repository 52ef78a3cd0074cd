import type { Tap } from '../../answers/tap.ts'
import type { ApiError } from '../../openai/api-error.ts'
import type { Deadline } from '../../timing/deadlines.ts'

/**
 * The rest of a body whose client has left with the whole answer: it is read for a moment.
 *
 * @example
 * const rest = new RestOfBody(tap, (reason) => leave(reason))
 * socket.onceClosed(() => { if (!rest.isRead()) leave() })
 */
export class RestOfBody {
  readonly #tap: Tap
  readonly #giveUp: (reason: ApiError) => void
  #isLeft = false
  #moment: Deadline | undefined

  constructor(tap: Tap, giveUp: (reason: ApiError) => void) {
    this.#tap = tap
    this.#giveUp = giveUp
  }

  /** To be asked when the client has left: whether the rest is still read. */
  isRead(): boolean {
    if (!this.#isLeft) {
      this.#isLeft = true
      this.#moment = this.#tap.onLeave((reason) => {
        this.#moment = undefined
        this.#giveUp(reason)
      })
    }
    return this.#moment !== undefined
  }

  stop(): void {
    this.#moment?.clear()
    this.#moment = undefined
  }
}
