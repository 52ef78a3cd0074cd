import type { MemoryBudget } from '../../exchange/memory-budget.ts'
import type { Deadline } from '../../timing/deadlines.ts'

/** What waits at most for a side of a WebSocket that takes nothing: what was read of the other at a time, twice. */
const STALLED_BYTES = 1024 * 1024

/** A limit on the time in which somebody takes nothing, during which what waits for it counts; where there is no memory for that, `onFull` is called. */
export function countedStall(limit: Deadline, memory: MemoryBudget, onFull: () => void): Deadline {
  let isTaken = false
  const give = (): void => {
    if (isTaken) memory.give(STALLED_BYTES)
    isTaken = false
  }
  return {
    touch() {
      limit.touch()
      if (isTaken) return
      isTaken = memory.take(STALLED_BYTES)
      if (!isTaken) onFull()
    },
    suspend() {
      give()
      limit.suspend()
    },
    clear() {
      give()
      limit.clear()
    },
  }
}
