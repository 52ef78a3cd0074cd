import type { MemoryBudget } from '../../exchange/memory-budget.ts'

/** A client that takes less than waits for it. */
export interface Stalled {
  /** Closes the connection at once, so that no answer looks complete. */
  reset(): void
}

/** The state when a client was cut for the memory that it held. */
export interface StalledCut {
  /** How many other clients take nothing at the moment. */
  readonly stalled: number
  /** The bytes in use of the whole budget, and the budget. */
  readonly memory_bytes: number
  readonly memory_bytes_max: number
}

/** The dependencies of `StalledClients`. */
export interface StalledClientsDeps {
  readonly memory: MemoryBudget
  /** Monotonic, in ms. */
  readonly now: () => number
  readonly onCut: (cut: StalledCut) => void
}

/**
 * The bytes that the runtime's `fetch` reads ahead of the reader of an answer (measured: up to 1.24 MB, whatever it is asked for):
 * they wait behind a client that takes nothing. A WebSocket reads no more than that.
 */
const READ_AHEAD_BYTES = 1280 * 1024
/** A client that has taken something within this time is not cut to make room for bytes that others send. */
const PATIENCE_MS = 1_000

interface Holding {
  bytes: number
  movedAt: number
}

/**
 * Counts the bytes that wait in this process for slow clients towards the memory budget. When the budget is used up, the clients that
 * have taken nothing for longest are cut: there is no other way to get the memory back.
 *
 * @example
 * const stalled = new StalledClients({ memory, now: () => performance.now(), onCut })
 */
export class StalledClients {
  readonly #deps: StalledClientsDeps
  /** In the order in which the clients last took something. */
  readonly #holdings = new Map<Stalled, Holding>()

  constructor(deps: StalledClientsDeps) {
    this.#deps = deps
    deps.memory.relieveBy(() => this.#cutFirst(PATIENCE_MS))
  }

  /** Counts more bytes that wait for a client. When there is no memory for them, a client is cut, if need be this one. */
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
      // No other client is to blame for bytes that would not even fit into the whole budget.
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

  /** Cuts the client that has taken nothing for longest, and at least for `sinceMs`; false: there is none. */
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
