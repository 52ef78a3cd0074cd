import { CLAIM_BYTES, roomFor } from '../claim-room.ts'
import {
  type Claim,
  type ClaimEnd,
  type ClaimTimes,
  type Standing,
  type Taken,
  UncertainClaimsError,
} from '../claims.ts'
import type { KnownEnd, SharedRegister } from '../remembered-claims.ts'
import { SETTLING_MS } from '../remembered-claims.ts'
import { type ClaimRow, type ClaimStatements, checksumOf, putRow, rowNumberOf } from './sqlite-claim-statements.ts'

/** How often a writer looks for expired claims, and how many it removes at once. */
const SWEEP_MS = 10_000
const SWEPT_ROWS = 256

/** The file of the claims, as the store has it open now. */
export interface ClaimFile {
  /** Runs a read. */
  read<T>(run: (sql: ClaimStatements) => T): T
  /** Runs a write as one transaction, later where another process writes at that moment. */
  write<T>(run: (sql: ClaimStatements) => T): T | Promise<T>
  /** Opens the file at the path again, where another file has replaced it. */
  follow(): void
}

/** The options of claims in a file. */
export interface SqliteClaimsOptions {
  /** The most that the cache may hold. */
  readonly bytesMax: number
  /** Milliseconds since 1970: the same for all processes of a machine. */
  readonly now: () => number
}

/**
 * Claims in a SQLite file, for all processes that have it open: a row belongs to the holder of its lease. A row that is damaged, or
 * found in only one of the file's trees, is lost: its key was used, for an unknown request.
 */
export class SqliteClaims implements SharedRegister {
  readonly #file: ClaimFile
  readonly #options: SqliteClaimsOptions
  #sweptAt = 0

  constructor(file: ClaimFile, options: SqliteClaimsOptions) {
    this.#file = file
    this.#options = options
  }

  take(claim: Claim, times: ClaimTimes): Taken | Promise<Taken> {
    const { id, token, fingerprint } = claim
    return this.#file.write((sql): Taken => {
      const at = this.#options.now()
      this.#sweep(sql, times, at)
      const row = rowOf(sql, id)
      const standing = standingOf(row, at)
      // A claim whose lease is over is lost from now on; where its row has expired too, unseen, it stays lost for a new window.
      if (row !== 'damaged' && row?.state === 'running' && standing.kind === 'lost') {
        lose(sql, row, row.expires_at > at ? row.expires_at : at + times.windowMs)
      }
      const isOwn = standing.kind === 'running' && row !== 'damaged' && row?.token === token
      if (!isOwn && standing.kind !== 'free') {
        // A claim whose fingerprint is lost counts as the same request's.
        return standing.fingerprint === '' ? { kind: 'lost', fingerprint } : standing
      }
      if (!isOwn) refuseUnsettled(sql, at, times)
      sql.remove.run(id, rowNumberOf(id))
      if (!(isOwn || this.#makeRoom(sql, claim.scope, CLAIM_BYTES))) return { kind: 'full' }
      this.#hold(sql, claim, times, at)
      return { kind: 'taken' }
    })
  }

  look(id: string): Standing {
    return this.#file.read((sql) => standingOf(rowOf(sql, id), this.#options.now()))
  }

  renew(claim: Claim, times: ClaimTimes): void | Promise<void> {
    const { id, token } = claim
    return this.#file.write((sql): void => {
      const row = rowOf(sql, id)
      // Without a row, the file is a new one: the former file was damaged or removed.
      if (row === 'damaged' || (row !== null && (row.token !== token || row.state !== 'running'))) return
      sql.remove.run(id, rowNumberOf(id))
      this.#hold(sql, claim, times, this.#options.now())
    })
  }

  end(claim: Claim, end: ClaimEnd, { windowMs }: ClaimTimes): void | Promise<void> {
    const { id, token, fingerprint, scope } = claim
    let answer = end.kind === 'answered' ? end.answer : null
    const ending = this.#file.write((sql): void => {
      const row = rowOf(sql, id)
      if (row === 'damaged' || (row !== null && row.token !== token)) return
      sql.remove.run(id, rowNumberOf(id))
      const at = this.#options.now()
      const bytes = CLAIM_BYTES + (answer?.byteLength ?? 0)
      const isKept = answer === null || this.#makeRoom(sql, scope, bytes)
      const kept = isKept && answer !== null ? new Uint8Array(answer) : null
      putRow(sql, {
        ...{ id, token, fingerprint, scope, state: isKept ? end.kind : 'unkept', answer: kept },
        ...{ leased_until: at, expires_at: at + windowMs, bytes: isKept ? bytes : CLAIM_BYTES },
      })
    })
    // The caller may change its bytes before the write has its turn.
    if (ending instanceof Promise && answer !== null) answer = new Uint8Array(answer)
    return ending
  }

  release({ id, token }: Claim): void | Promise<void> {
    return this.#file.write((sql): void => {
      const row = rowOf(sql, id)
      if (row !== 'damaged' && row?.token === token && row.state === 'running') sql.remove.run(id, rowNumberOf(id))
    })
  }

  era(): string {
    this.#file.follow()
    return this.#file.read((sql) => sql.register.get()?.era ?? '')
  }

  restore({ id, token, fingerprint, scope }: Claim, end: KnownEnd, { windowMs }: ClaimTimes): void | Promise<void> {
    return this.#file.write((sql): void => {
      if (rowOf(sql, id) !== null) return
      const at = this.#options.now()
      const times = { leased_until: at, expires_at: at + windowMs, bytes: CLAIM_BYTES }
      putRow(sql, { id, token, fingerprint, scope, state: end, answer: null, ...times })
    })
  }

  /** Writes the claim as running, with the end of its lease and the end of its row. */
  #hold(sql: ClaimStatements, { id, token, fingerprint, scope }: Claim, times: ClaimTimes, at: number): void {
    const { leaseMs, windowMs } = times
    const until = { leased_until: at + leaseMs, expires_at: at + leaseMs + windowMs }
    putRow(sql, { id, token, fingerprint, scope, state: 'running', bytes: CLAIM_BYTES, answer: null, ...until })
  }

  /** Whether a caller has room for so many more bytes: only its own oldest answers give way for them. */
  #makeRoom(sql: ClaimStatements, scope: string, bytes: number): boolean {
    const room = roomFor(bytes, this.#options.bytesMax)
    if (bytes > room.callers) return false
    for (;;) {
      const all = sql.held.get('')?.bytes ?? 0
      const held = sql.held.get(scope)?.bytes ?? 0
      if (all + bytes <= room.all && held + bytes <= room.callers) return true
      const oldest = sql.oldest.get(scope)
      if (oldest === null) return false
      sql.remove.run(oldest.id, rowNumberOf(oldest.id))
      // Without this check the loop would find a row that can't be removed for ever.
      if (sql.get.get(rowNumberOf(oldest.id)) !== null) return false
      putRow(sql, { ...oldest, state: 'unkept', answer: null, bytes: CLAIM_BYTES })
    }
  }

  #sweep(sql: ClaimStatements, { windowMs }: ClaimTimes, at: number): void {
    if (Math.abs(at - this.#sweptAt) < SWEEP_MS) return
    for (const row of sql.overdue.all(at, SWEPT_ROWS)) if (isSound(row)) lose(sql, row, at + windowMs)
    // After a full batch there may be more: the next writer looks again.
    if (sql.expire.all(at, SWEPT_ROWS).length < SWEPT_ROWS) this.#sweptAt = at
  }
}

/** Throws where the file may lack claims that were held or have ended. */
function refuseUnsettled(sql: ClaimStatements, at: number, { windowMs }: ClaimTimes): void {
  const register = sql.register.get()
  const settlesInMs = (register?.settled_at ?? 0) - at
  // A longer wait means that the clock was set back: it does not count.
  if (settlesInMs > 0 && settlesInMs <= SETTLING_MS)
    throw new UncertainClaimsError('The file is new, and takes no claims for a moment.')
  const unknownForMs = at - (register?.unknown_since ?? 0)
  if (unknownForMs >= 0 && unknownForMs < windowMs) {
    throw new UncertainClaimsError('The file before this one was damaged, and may have held what is asked for.')
  }
}

function rowOf(sql: ClaimStatements, id: string): ClaimRow | 'damaged' | null {
  const row = sql.get.get(rowNumberOf(id))
  if (row === null) return sql.has.get(id) === null ? null : 'damaged'
  return row.id === id && isSound(row) ? row : 'damaged'
}

function isSound(row: ClaimRow): boolean {
  return checksumOf(row) === row.checksum
}

/** Marks a running claim as lost, until `expiresAt`. */
function lose(sql: ClaimStatements, row: ClaimRow, expiresAt: number): void {
  sql.remove.run(row.id, rowNumberOf(row.id))
  putRow(sql, { ...row, state: 'lost', expires_at: expiresAt })
}

function standingOf(row: ClaimRow | 'damaged' | null, at: number): Standing {
  if (row === 'damaged') return { kind: 'lost', fingerprint: '' }
  // A clock that is put forward ends no running claim: its holder renews it, or has died and may have sent the request.
  if (row === null || (row.expires_at <= at && row.state !== 'running')) return { kind: 'free' }
  const { state, fingerprint, answer, leased_until: leasedUntil } = row
  if (state === 'answered') return { kind: 'answered', fingerprint, answer: answer ?? new Uint8Array() }
  return { kind: state === 'running' && leasedUntil <= at ? 'lost' : state, fingerprint }
}
