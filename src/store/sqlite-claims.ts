import { CLAIM_BYTES, roomFor } from './claim-room.ts'
import type { Claim, ClaimEnd, Claims, ClaimTimes, Standing, Taken } from './claims.ts'
import type { ClaimRow, ClaimStatements } from './sqlite-claim-statements.ts'

/** How often a writer looks for what is over, and how much of it is taken out at once. */
const SWEEP_MS = 10_000
const SWEPT_ROWS = 256

/** The file that claims are in, as the store has it open now. */
export interface ClaimFile {
  /** Runs what reads. */
  read<T>(run: (sql: ClaimStatements) => T): T
  /** Runs what writes as one, later where another process writes just now. */
  write<T>(run: (sql: ClaimStatements) => T): T | Promise<T>
}

/** What claims in a file need. */
export interface SqliteClaimsOptions {
  /** What the cache may hold. */
  readonly bytesMax: number
  /** Milliseconds since 1970: the same for all processes of a machine. */
  readonly now: () => number
}

/** Claims in a SQLite file, for all processes that have it open: a row is one's who holds its lease. */
export class SqliteClaims implements Claims {
  readonly #file: ClaimFile
  readonly #options: SqliteClaimsOptions
  #sweptAt = 0

  constructor(file: ClaimFile, options: SqliteClaimsOptions) {
    this.#file = file
    this.#options = options
  }

  take(claim: Claim, times: ClaimTimes): Taken | Promise<Taken> {
    const { id, token, scope } = claim
    return this.#file.write((sql): Taken => {
      const at = this.#options.now()
      this.#sweep(sql, times, at)
      const row = sql.get.get(id)
      const standing = standingOf(row, at)
      // Whose time is up is known to be lost from now on; one that nobody has looked at before its end is so for a window of its own.
      if (row !== null && standing.kind === 'lost' && row.state === 'running') {
        sql.lose.run(row.expires_at > at ? row.expires_at : at + times.windowMs, id)
      }
      if (standing.kind === 'running' && sql.renew.get(...this.#leaseFrom(at, times), id, token) !== null) {
        return { kind: 'taken' }
      }
      if (standing.kind !== 'free') return standing
      sql.remove.run(id)
      if (!this.#makeRoom(sql, scope, CLAIM_BYTES)) return { kind: 'full' }
      this.#put(sql, claim, times, at)
      return { kind: 'taken' }
    })
  }

  look(id: string): Standing {
    return this.#file.read((sql) => standingOf(sql.get.get(id), this.#options.now()))
  }

  renew(claim: Claim, times: ClaimTimes): void | Promise<void> {
    return this.#file.write((sql): void => {
      const at = this.#options.now()
      if (sql.renew.get(...this.#leaseFrom(at, times), claim.id, claim.token) !== null) return
      // The file may be another one since: one that was damaged, or taken away, is begun anew.
      if (sql.get.get(claim.id) === null) this.#put(sql, claim, times, at)
    })
  }

  end({ id, token, fingerprint, scope }: Claim, end: ClaimEnd, { windowMs }: ClaimTimes): void | Promise<void> {
    let answer = end.kind === 'answered' ? end.answer : null
    const ending = this.#file.write((sql): void => {
      const row = sql.get.get(id)
      if (row !== null && row.token !== token) return
      sql.remove.run(id)
      const at = this.#options.now()
      const bytes = CLAIM_BYTES + (answer?.byteLength ?? 0)
      const isKept = answer === null || this.#makeRoom(sql, scope, bytes)
      const state = isKept ? end.kind : 'unkept'
      const kept = isKept ? answer : null
      sql.put.run(id, token, fingerprint, scope, state, at, at + windowMs, isKept ? bytes : CLAIM_BYTES, kept)
    })
    // Until it has its turn the caller may do what it wants with its bytes.
    if (ending instanceof Promise && answer !== null) answer = new Uint8Array(answer)
    return ending
  }

  release({ id, token }: Claim): void | Promise<void> {
    return this.#file.write((sql): void => {
      sql.release.run(id, token)
    })
  }

  #put(sql: ClaimStatements, { id, token, fingerprint, scope }: Claim, times: ClaimTimes, at: number): void {
    sql.put.run(id, token, fingerprint, scope, 'running', ...this.#leaseFrom(at, times), CLAIM_BYTES, null)
  }

  /** Until when it is held, and until when it is known that it was. */
  #leaseFrom(at: number, { leaseMs, windowMs }: ClaimTimes): [leasedUntil: number, expiresAt: number] {
    return [at + leaseMs, at + leaseMs + windowMs]
  }

  /** Whether there is room for so much more of a caller's: its own oldest answers give way for that, and nobody else's. */
  #makeRoom(sql: ClaimStatements, scope: string, bytes: number): boolean {
    const room = roomFor(bytes, this.#options.bytesMax)
    if (bytes > room.callers) return false
    for (;;) {
      const all = sql.held.get('')?.bytes ?? 0
      const held = sql.held.get(scope)?.bytes ?? 0
      if (all + bytes <= room.all && held + bytes <= room.callers) return true
      if (sql.letGo.get(CLAIM_BYTES, scope) === null) return false
    }
  }

  #sweep(sql: ClaimStatements, { windowMs }: ClaimTimes, at: number): void {
    if (Math.abs(at - this.#sweptAt) < SWEEP_MS) return
    sql.loseAll.run(at + windowMs, at, SWEPT_ROWS)
    // A full batch: there may be more, which the next writer looks for.
    if (sql.expire.all(at, SWEPT_ROWS).length < SWEPT_ROWS) this.#sweptAt = at
  }
}

function standingOf(row: ClaimRow | null, at: number): Standing {
  // A clock that was put forward ends nothing that is under way: whoever has it renews it, or has died and may have sent it.
  if (row === null || (row.expires_at <= at && row.state !== 'running')) return { kind: 'free' }
  const { state, fingerprint, answer, leased_until: leasedUntil } = row
  if (state === 'answered') return { kind: 'answered', fingerprint, answer: answer ?? new Uint8Array() }
  return { kind: state === 'running' && leasedUntil <= at ? 'lost' : state, fingerprint }
}
