/** So long one request's work may keep the event loop at a time, in milliseconds. */
const SLICE_MS = 2
/** So long all of them together, in one turn of the loop: hundreds of short works that come at once would be one long one. */
const TURN_MS = 4
/** As long at least the loop is everybody's between two turns, in milliseconds. */
const GAP_MS = 1
/** By so many steps of the microtask queue whoever was given a slice has used it, or waits for something else. */
const STEPS_OF_A_SLICE = 12

/** Who waits for a slice, in their order. */
const waiting: (() => void)[] = []
let isTimed = false
/** Until when the works of this turn may go on; in the past, where nobody has begun one yet. */
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
  // Where others wait, the first slice is waited for, too.
  #endsAt = waiting.length > 0 ? 0 : performance.now() + SLICE_MS

  /** One of many short works that may begin at the same moment: together they have one turn. */
  static amongMany(): Slice {
    const slice = new Slice()
    if (waiting.length === 0) slice.#endsAt = endInTurn(performance.now())
    return slice
  }

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
    this.#endsAt = endInTurn(performance.now())
  }
}

/** When a slice ends that begins now: the turn is everybody's who works in it. */
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

/** Gives those who wait a slice each, one after the other, for as long as a turn is. */
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

/**
 * Does work in slices: all of it at once where that takes no longer than one. A generator says where it may rest, by yielding; what is
 * short does not yield.
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
