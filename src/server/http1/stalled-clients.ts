import type { MemoryBudget } from '../../exchange/memory-budget.ts'

/** A client that takes less than there is for it. */
export interface Stalled {
  /** Closes it at once, in the way that no answer looks complete. */
  reset(): void
}

/** How things stood when a client was cut for the memory that it took. */
export interface StalledCut {
  /** As many others take nothing at the moment, either. */
  readonly stalled: number
  /** What all of them, and all others, hold of the budget, and what that is, in bytes. */
  readonly memory_bytes: number
  readonly memory_bytes_max: number
}

/** What counting needs. */
export interface StalledClientsDeps {
  readonly memory: MemoryBudget
  /** Monotonic, in ms. */
  readonly now: () => number
  readonly onCut: (cut: StalledCut) => void
}

/**
 * What stands behind a client that takes nothing: so much of an answer the runtime's `fetch` reads ahead of whoever reads its body
 * (measured: up to 1.24 MB, whatever is asked of it), and no more is read for a WebSocket.
 */
const READ_AHEAD_BYTES = 1280 * 1024
/** Who has taken something within so many milliseconds is not cut to make room for what others send. */
const PATIENCE_MS = 1_000

interface Holding {
  bytes: number
  movedAt: number
}

/**
 * Counts what waits in this process for clients that do not take it towards the memory budget. Where that is used up, those
 * who have taken nothing for longest are cut: there is no other way to get the memory back.
 *
 * @example
 * const stalled = new StalledClients({ memory, now: () => performance.now(), onCut })
 */
export class StalledClients {
  readonly #deps: StalledClientsDeps
  /** In the order in which they last took something. */
  readonly #holdings = new Map<Stalled, Holding>()

  constructor(deps: StalledClientsDeps) {
    this.#deps = deps
    deps.memory.relieveBy(() => this.#cutFirst(PATIENCE_MS))
  }

  /** So many bytes more wait for a client: where there is no memory for them, somebody is cut, if need be this one. */
  add(client: Stalled, bytes: number): void {
    const { memory, now } = this.#deps
    let holding = this.#holdings.get(client)
    let wanted = bytes
    if (holding === undefined) {
      holding = { bytes: 0, movedAt: now() }
      this.#holdings.set(client, holding)
      wanted += READ_AHEAD_BYTES
    }
    while (!memory.take(wanted)) {
      // What would not fit into all of it is nobody else's doing.
      if (wanted > memory.bytesMax) this.#cut(client)
      else if (!this.#cutFirst(0)) return
      if (!this.#holdings.has(client)) return
    }
    if (this.#holdings.has(client)) holding.bytes += wanted
    else memory.give(wanted)
  }

  /** A client has taken something. */
  moved(client: Stalled): void {
    const holding = this.#holdings.get(client)
    if (holding === undefined) return
    holding.movedAt = this.#deps.now()
    this.#holdings.delete(client)
    this.#holdings.set(client, holding)
  }

  /** Nothing waits for a client any more. */
  end(client: Stalled): void {
    const holding = this.#holdings.get(client)
    if (holding === undefined) return
    this.#holdings.delete(client)
    this.#deps.memory.give(holding.bytes)
  }

  /** Cuts who has taken nothing for longest, and for at least so many milliseconds; false: there is nobody. */
  #cutFirst(sinceMs: number): boolean {
    for (const [client, { movedAt }] of this.#holdings) {
      if (this.#deps.now() - movedAt < sinceMs) return false
      this.#cut(client)
      return true
    }
    return false
  }

  #cut(client: Stalled): void {
    const { usedBytes, bytesMax } = this.#deps.memory
    this.end(client)
    client.reset()
    this.#deps.onCut({ stalled: this.#holdings.size, memory_bytes: usedBytes, memory_bytes_max: bytesMax })
  }
}
