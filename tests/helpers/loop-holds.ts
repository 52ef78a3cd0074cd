/** What keeps the event loop from its next turn, while something is done. */
export interface LoopHolds {
  /** The longest time between two turns, in milliseconds, since it was begun or asked. */
  readonly longest: () => number
  /** How many turns there were. */
  readonly turns: () => number
  readonly stop: () => void
}

const EVERY_MS = 1

/** Watches the event loop of this process: the longest time that it was kept from a timer of a millisecond. */
export function watchLoop(): LoopHolds {
  let last = performance.now()
  let longest = 0
  let turns = 0
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last - EVERY_MS)
    last = now
    turns += 1
  }, EVERY_MS)
  return {
    longest() {
      const taken = longest
      longest = 0
      return taken
    },
    turns: () => turns,
    stop: () => clearInterval(timer),
  }
}
