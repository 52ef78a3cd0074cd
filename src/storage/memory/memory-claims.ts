import { CLAIM_BYTES, roomFor } from '../claim-room.ts'
import type { Claim, ClaimEnd, ClaimsAtOnce, ClaimTimes, Standing, Taken } from '../claims.ts'
import { ownBytes } from './kept-entries.ts'

/** How often expired claims are looked for. */
const SWEEP_MS = 10_000

interface Entry {
  readonly token: string
  readonly fingerprint: string
  readonly scope: string
  state: 'running' | 'lost' | 'unkept' | 'answered'
  answer: Uint8Array<ArrayBuffer> | undefined
  /** By the clock; infinite for a running claim, which ends with this process. */
  expiresAt: number
}

/** The claims of one caller. */
interface Holder {
  bytes: number
  /** The ids of its answers, the oldest first. */
  readonly answered: Set<string>
}

/** The options of claims in memory. */
export interface MemoryClaimsOptions {
  /** The most that the cache may hold; claims may hold a share of that size in addition. */
  readonly bytesMax: () => number
  /** Milliseconds of a clock that only goes forward: with a clock that is set forward, answers that were paid for would expire. */
  readonly now: () => number
}

/**
 * Makes claims in this process's memory. Where a caller has used its share, its own oldest answers are dropped, but their claims stay
 * answered.
 *
 * @example
 * const claims = createMemoryClaims({ bytesMax: () => settings.cache.bytesMax, now: () => performance.now() })
 */
export function createMemoryClaims(options: MemoryClaimsOptions): ClaimsAtOnce {
  return new MemoryClaims(options)
}

class MemoryClaims implements ClaimsAtOnce {
  readonly #options: MemoryClaimsOptions
  /** In the order of their answers: a claim moves to the end when it is answered. */
  readonly #entries = new Map<string, Entry>()
  readonly #holders = new Map<string, Holder>()
  #bytes = 0
  #sweptAt = 0

  constructor(options: MemoryClaimsOptions) {
    this.#options = options
  }

  take({ id, token, fingerprint, scope }: Claim): Taken {
    this.#sweep()
    const standing = this.#standingOf(id)
    if (standing.kind === 'running' && this.#entries.get(id)?.token === token) return { kind: 'taken' }
    if (standing.kind !== 'free') return standing
    if (!this.#makeRoom(scope, CLAIM_BYTES)) return { kind: 'full' }
    const expiresAt = Number.POSITIVE_INFINITY
    this.#put(id, { token, fingerprint, scope, state: 'running', answer: undefined, expiresAt })
    return { kind: 'taken' }
  }

  look(id: string): Standing {
    return this.#standingOf(id)
  }

  renew(): void {
    // A claim in memory lasts as long as its process.
  }

  end(claim: Claim, end: ClaimEnd, { windowMs }: ClaimTimes): void {
    const entry = this.#entries.get(claim.id)
    if (entry !== undefined && entry.token !== claim.token) return
    this.#remove(claim.id)
    const { token, fingerprint, scope } = claim
    const wanted = end.kind === 'answered' ? end.answer.byteLength : 0
    const isKept = end.kind === 'answered' && this.#makeRoom(scope, CLAIM_BYTES + wanted)
    const answer = isKept ? ownBytes(end.answer) : undefined
    const state = end.kind === 'answered' && !isKept ? 'unkept' : end.kind
    this.#put(claim.id, { token, fingerprint, scope, state, answer, expiresAt: this.#options.now() + windowMs })
  }

  release({ id, token }: Claim): void {
    const entry = this.#entries.get(id)
    if (entry?.token === token && entry.state === 'running') this.#remove(id)
  }

  #standingOf(id: string): Standing {
    const entry = this.#entries.get(id)
    if (entry === undefined) return { kind: 'free' }
    if (entry.expiresAt <= this.#options.now()) {
      this.#remove(id)
      return { kind: 'free' }
    }
    const { state, fingerprint, answer } = entry
    if (state !== 'answered') return { kind: state, fingerprint }
    return { kind: state, fingerprint, answer: answer ?? new Uint8Array() }
  }

  #put(id: string, entry: Entry): void {
    this.#entries.set(id, entry)
    this.#count(entry.scope, sizeOf(entry))
    if (entry.answer !== undefined) this.#holderOf(entry.scope).answered.add(id)
  }

  #remove(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    this.#holders.get(entry.scope)?.answered.delete(id)
    this.#count(entry.scope, -sizeOf(entry))
  }

  #holderOf(scope: string): Holder {
    const known = this.#holders.get(scope)
    if (known !== undefined) return known
    const holder: Holder = { bytes: 0, answered: new Set() }
    this.#holders.set(scope, holder)
    return holder
  }

  #count(scope: string, bytes: number): void {
    const holder = this.#holderOf(scope)
    holder.bytes += bytes
    this.#bytes += bytes
    if (holder.bytes === 0) this.#holders.delete(scope)
  }

  /** Whether a caller has room for so many more bytes: only its own oldest answers give way for them. */
  #makeRoom(scope: string, bytes: number): boolean {
    const room = roomFor(bytes, this.#options.bytesMax())
    if (bytes > room.callers) return false
    const held = this.#holders.get(scope)
    const isRoom = (): boolean => this.#bytes + bytes <= room.all && (held?.bytes ?? 0) + bytes <= room.callers
    for (const id of held?.answered ?? []) {
      if (isRoom()) return true
      this.#letGo(id)
    }
    return isRoom()
  }

  /** Drops an answer; its claim stays, as `unkept`. */
  #letGo(id: string): void {
    const entry = this.#entries.get(id)
    if (entry?.answer === undefined) return
    this.#holderOf(entry.scope).answered.delete(id)
    this.#count(entry.scope, -entry.answer.byteLength)
    entry.answer = undefined
    entry.state = 'unkept'
  }

  #sweep(): void {
    const at = this.#options.now()
    if (Math.abs(at - this.#sweptAt) < SWEEP_MS) return
    this.#sweptAt = at
    for (const [id, { expiresAt }] of this.#entries) {
      if (expiresAt <= at) this.#remove(id)
      // Later answers expire later; a running claim has no end.
      else if (Number.isFinite(expiresAt)) return
    }
  }
}

function sizeOf({ answer }: Entry): number {
  return CLAIM_BYTES + (answer?.byteLength ?? 0)
}
