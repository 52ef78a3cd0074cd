/** So long one request's work may keep the event loop at a time, in milliseconds. */
const SLICE_MS = 2
/** As long at least the loop is everybody's between two slices, in milliseconds. */
const GAP_MS = 1

/** Who waits for a slice: one of them gets one in each turn of the loop, or many large requests would together be one long one. */
const waiting: (() => void)[] = []
let isTimed = false

/**
 * Long work in slices, with the event loop free between them.
 *
 * @example
 * const slice = new Slice()
 * while (!work.goOn(() => slice.isOver())) await slice.rest()
 */
export class Slice {
  // Where others wait, the first one is waited for, too.
  #endsAt = waiting.length > 0 ? 0 : performance.now() + SLICE_MS

  /** Begins anew: what comes next is work again, behind something that was waited for. */
  begin(): void {
    this.#endsAt = performance.now() + SLICE_MS
  }

  /**
   * The same, behind something that was asked for at a time of `performance.now()`: what was there at once has left nobody else a turn,
   * and the slice goes on.
   */
  beginBehind(askedAt: number): void {
    if (performance.now() - askedAt >= GAP_MS) this.begin()
  }

  /** Whether it is time to rest. */
  isOver(): boolean {
    return performance.now() >= this.#endsAt
  }

  /** Resolves when the next slice may begin. */
  async rest(): Promise<void> {
    await nextTurn()
    this.begin()
  }
}

function nextTurn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  waiting.push(resolve)
  if (!isTimed) giveTurn()
  return promise
}

function giveTurn(): void {
  isTimed = true
  setTimeout(() => {
    waiting.shift()?.()
    if (waiting.length > 0) giveTurn()
    else isTimed = false
  }, GAP_MS)
}

/**
 * Resolves when others have had their turn, in between two pieces of work of a few milliseconds each.
 *
 * @example
 * for (const part of parts) {
 *   handle(part)
 *   await breathe()
 * }
 */
export function breathe(): Promise<void> {
  return nextTurn()
}
