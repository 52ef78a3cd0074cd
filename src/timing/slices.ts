/** The longest that one request's work keeps the event loop at a time, in milliseconds. */
const SLICE_MS = 2
/** The longest for all requests' work together in one turn of the loop: hundreds of short works at once would be one long one. */
const TURN_MS = 4
/** The least time between two turns that is left to everything else, in milliseconds. */
const GAP_MS = 1
/** After this many steps of the microtask queue, the holder of a slice has used it or waits for something else. */
const STEPS_OF_A_SLICE = 12

/** The works that wait for a slice, in their order. */
const waiting: (() => void)[] = []
let isTimed = false
/** The end of this turn. It lies in the past if no work has begun yet. */
let turnEndsAt = 0
let isTurnOpen = false

/**
 * Long work in slices, with the event loop free between them.
 *
 * @example
 * const slice = new Slice()
 * while (!work.goOn(() => slice.isOver())) await slice.rest()
 */
export class Slice {
  // If other works wait, this one waits for its first slice, too.
  #endsAt = waiting.length > 0 ? 0 : performance.now() + SLICE_MS

  /** Makes the slice of one of many short works that may begin at the same moment: together they share one turn. */
  static amongMany(): Slice {
    const slice = new Slice()
    if (waiting.length === 0) slice.#endsAt = endInTurn(performance.now())
    return slice
  }

  /** Begins a new slice, after waiting for something. */
  begin(): void {
    this.#endsAt = performance.now() + SLICE_MS
  }

  /**
   * Begins a new slice, after waiting for something since a time of `performance.now()`. If that came at once, nobody else had a turn, and
   * the slice goes on.
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
    this.#endsAt = endInTurn(performance.now())
  }
}

/** The end of a slice that begins now: all works of a turn share it. */
function endInTurn(now: number): number {
  if (!isTurnOpen) {
    openTurn(now)
    setTimeout(closeTurn, 0)
  }
  return Math.min(now + SLICE_MS, turnEndsAt)
}

function openTurn(now: number): void {
  isTurnOpen = true
  turnEndsAt = now + TURN_MS
}

function isInTurn(): boolean {
  return performance.now() < turnEndsAt
}

function closeTurn(): void {
  isTurnOpen = false
}

function nextTurn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  waiting.push(resolve)
  if (!isTimed) planTurn()
  return promise
}

function planTurn(): void {
  isTimed = true
  setTimeout(() => void giveTurn(), GAP_MS)
}

/** Gives each waiting work a slice, one after the other, until the turn is over. */
async function giveTurn(): Promise<void> {
  openTurn(performance.now())
  for (let left = waiting.length; left > 0 && isInTurn(); left -= 1) {
    waiting.shift()?.()
    for (let step = 0; step < STEPS_OF_A_SLICE; step += 1) await undefined
  }
  closeTurn()
  if (waiting.length > 0) planTurn()
  else isTimed = false
}

/**
 * Resolves when others have had a turn. Await it between two pieces of work of a few milliseconds each.
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

/**
 * Does work in slices, or all of it at once if it fits into one. The work is a generator that yields wherever it may rest; short work
 * need not yield.
 *
 * @example
 * const verdict = inSlices(judging(bytes))
 * return verdict instanceof Promise ? verdict.then(keep) : keep(verdict)
 */
export function inSlices<T>(work: Generator<void, T, void>): T | Promise<T> {
  let step = work.next()
  if (step.done === true) return step.value
  const slice = Slice.amongMany()
  step = goOn(work, slice)
  return step.done === true ? step.value : restAndGoOn(work, slice)
}

async function restAndGoOn<T>(work: Generator<void, T, void>, slice: Slice): Promise<T> {
  for (;;) {
    await slice.rest()
    const step = goOn(work, slice)
    if (step.done === true) return step.value
  }
}

function goOn<T>(work: Generator<void, T, void>, slice: Slice): IteratorResult<void, T> {
  for (;;) {
    const step = work.next()
    if (step.done === true || slice.isOver()) return step
  }
}
