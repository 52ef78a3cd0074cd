import type { AuditEvent, Booking, LedgerRecord } from './records.ts'

/** Changes of records since a version, and the version then. A record that is gone is named by its id. */
export interface RecordChanges {
  readonly version: number
  readonly changed: readonly LedgerRecord[]
  readonly removed: readonly string[]
}

/** A change of records, with what the audit log says of it. All of it is made, or none. */
export interface RecordEdit {
  readonly put: readonly LedgerRecord[]
  readonly remove: readonly string[]
  readonly audit: readonly AuditEvent[]
}

/** What a question about usage or costs groups and filters by. */
export type UsageDimension =
  | 'project'
  | 'key'
  | 'model'
  | 'batch'
  | 'tier'
  | 'endpoint'
  | 'upstream'
  | 'source'
  | 'size'
  | 'user'

/** A question about bookings. Times are in seconds since 1970. */
export interface UsageQuery {
  readonly from: number
  readonly to: number
  readonly bucketSeconds: 60 | 3600 | 86_400
  /** The endpoints whose bookings count; undefined: all. */
  readonly endpoints?: readonly string[]
  readonly where: Readonly<Partial<Record<UsageDimension, readonly string[]>>>
  readonly groupBy: readonly UsageDimension[]
}

/** The sums of one group in one bucket. */
export interface UsageSum {
  readonly bucket: number
  readonly group: Readonly<Partial<Record<UsageDimension, string>>>
  readonly requests: number
  /** By the names of `Usage`. */
  readonly usage: Readonly<Record<string, number>>
  /** In nano-dollars. */
  readonly cost: bigint
  readonly saved: bigint
}

/** A page of the audit log, newest first. */
export interface AuditQuery {
  readonly after?: string
  readonly before?: string
  readonly limit: number
  readonly from?: number
  readonly to?: number
  readonly types?: readonly string[]
  readonly actorIds?: readonly string[]
  readonly projectIds?: readonly string[]
  readonly resourceIds?: readonly string[]
}

/**
 * The books: who may call, and what was used. What is decided on is in the directory and in counters; a ledger is never asked while a
 * request waits.
 *
 * Each function throws, or rejects with, a `LedgerError` where the store can't be used now.
 */
export interface Ledger {
  /** All records, in parts, so that many of them need no room at once. */
  readonly records: () => AsyncIterable<readonly LedgerRecord[]>
  /** What has changed since a version; undefined: nothing. */
  readonly changesSince: (version: number) => Promise<RecordChanges | undefined>
  readonly edit: (edit: RecordEdit) => Promise<number>
  /** Writes bookings; one that is there already is left as it is. Notes of each key when it was last used. */
  readonly book: (bookings: readonly Booking[]) => Promise<void>
  readonly usage: (query: UsageQuery) => Promise<readonly UsageSum[]>
  /** What was spent in a scope (`organization`, a project's or a key's id) from `from` up to `to`, in milliseconds since 1970; nano-dollars. */
  readonly spent: (scope: string, from: number, to: number) => Promise<bigint>
  /** When keys were last used, in seconds since 1970. */
  readonly lastUsed: (keyIds: readonly string[]) => Promise<ReadonlyMap<string, number>>
  readonly audit: (query: AuditQuery) => Promise<{ readonly events: readonly AuditEvent[]; readonly hasMore: boolean }>
  readonly close: () => Promise<void>
}
