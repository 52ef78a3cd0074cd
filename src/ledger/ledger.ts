import type { Usage } from '../openai/usage/usage.ts'
import type { MadeObject } from './made-objects.ts'
import type { AuditEvent, Booking, LedgerRecord } from './records.ts'

/** The kinds of records. */
export type RecordKind = LedgerRecord['kind']
/** The record of a kind. */
export type RecordOf<K extends RecordKind> = Extract<LedgerRecord, { kind: K }>

/** Is thrown where the books can't be read or written now: the cause says why. */
export class LedgerError extends Error {}
/** The reason why books can't be opened: the fault, as the end of a sentence that begins with the setting's name, and the cure. */
export class OpenLedgerError extends Error {
  readonly wrong: string
  readonly cure: string
  /** Whether its server can't be reached, and may be there in a moment. */
  readonly isAway: boolean

  constructor(wrong: string, cure: string, cause?: unknown, isAway = false) {
    super(`The ledger ${wrong}. ${cure}`, { cause })
    this.name = 'OpenLedgerError'
    this.wrong = wrong
    this.cure = cure
    this.isAway = isAway
  }
}
/** Is thrown for books whose tables are of a newer version of this program. */
export class NewerLedgerError extends LedgerError {}
/** Is thrown where a record that an edit was made from has been changed meanwhile: nothing is changed then. */
export class RecordsChangedError extends Error {}

/** A key as the directory holds it: what a request is decided by, and no more. One that was rotated has a row for each former digest, too. */
export interface DirectoryRow {
  /** SHA-256 of the key. */
  readonly digest: Uint8Array
  readonly kind: 'key' | 'admin_key'
  readonly id: string
  readonly projectId: string
  /** In seconds since 1970; 0: never. */
  readonly expiresAt: number
  /** The key's own limits as JSON; undefined: it has none. */
  readonly limits: string | undefined
}

/** Changes since a version, and the version then. */
export interface RecordChanges {
  readonly version: number
  readonly changed: readonly LedgerRecord[]
  /** Records that are gone, by their ids, with the digests of keys. */
  readonly removed: readonly { readonly id: string; readonly digests: readonly Uint8Array[] }[]
}

/** A change of records, with what the audit log says of it. All of it is made, or none. */
export interface RecordEdit {
  /** The records that it was made from, as they were read: each must still be so, or the edit is refused (`RecordsChangedError`). */
  readonly was?: readonly LedgerRecord[]
  /** Ids that no record may have yet, or the edit is refused as well. */
  readonly absent?: readonly string[]
  readonly put: readonly LedgerRecord[]
  readonly remove: readonly string[]
  readonly audit: readonly AuditEvent[]
}

/** A page of records of one kind, by their creation. */
export interface RecordQuery<K extends RecordKind = RecordKind> {
  readonly kind: K
  readonly projectId?: string | undefined
  readonly ownerId?: string | undefined
  /** The id behind which, or before which, the page begins. */
  readonly after?: string | undefined
  readonly before?: string | undefined
  readonly limit: number
  readonly order: 'asc' | 'desc'
  /** Whether archived projects count, too. */
  readonly archived?: boolean | undefined
  /** Only what the configuration file has. */
  readonly managedBy?: 'file' | undefined
}

/** A page of anything, and whether there is more behind it. */
export interface Page<T> {
  readonly data: readonly T[]
  readonly hasMore: boolean
}

/** What a question about usage or costs groups and filters by. */
export type UsageDimension = 'project' | 'key' | 'model' | 'batch' | 'tier' | 'endpoint' | 'upstream'

/** A question about bookings. Times are in seconds since 1970. */
export interface UsageQuery {
  readonly from: number
  readonly to: number
  readonly bucketSeconds: 60 | 3600 | 86_400
  readonly where: Readonly<Partial<Record<UsageDimension, readonly string[]>>>
  readonly groupBy: readonly UsageDimension[]
  /** The counts that are wanted; absent: all. Fewer take less time. */
  readonly counts?: readonly (keyof Usage)[]
  /** Where a page begins, as the one before it has said; absent: at `from`. */
  readonly begin?: UsagePlace | undefined
}

/** A place among all sums of a question: a bucket (in seconds since 1970) and, within it, a project and a key by the ledger's own numbers. */
export interface UsagePlace {
  readonly bucket: number
  readonly project: number
  readonly key: number
}

/** A page of sums: all that are asked for, or those up to a place. */
export interface UsagePage {
  readonly sums: readonly UsageSum[]
  /** Where the next page begins, perhaps within a bucket; undefined: this one has all that there is. */
  readonly next: UsagePlace | undefined
}

/** Where a row of a call stands among the others. */
export type BookingPlace = Pick<Booking, 'at' | 'id'>

/** The sums of one group in one bucket. */
export interface UsageSum {
  /** Its beginning, in seconds since 1970. */
  readonly bucket: number
  readonly group: Readonly<Partial<Record<UsageDimension, string>>>
  readonly requests: number
  /** By the names of `Usage`. */
  readonly usage: Readonly<Record<string, number>>
  /** In nano-dollars. */
  readonly cost: bigint
  readonly saved: bigint
}

/** A page of the audit log, newest first. Times are in seconds since 1970. */
export interface AuditQuery {
  readonly after?: string | undefined
  readonly before?: string | undefined
  readonly limit: number
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly types?: readonly string[] | undefined
  readonly actorIds?: readonly string[] | undefined
  readonly projectIds?: readonly string[] | undefined
  readonly resourceIds?: readonly string[] | undefined
}

/** How far the rows of calls go back, and how much room all of it takes. */
export interface LedgerExtent {
  /** When the oldest call came that has a row, in seconds since 1970; undefined: there is none. */
  readonly oldest: number | undefined
  /** The bytes that are in use; undefined: the store does not say so. */
  readonly bytes: number | undefined
}

/**
 * The books: who may call, and what was used. Requests are decided by the directory and by counters; a ledger is never asked while one
 * waits.
 *
 * Each function rejects with a `LedgerError` where the books can't be used now.
 */
export interface Ledger {
  /** All keys, in parts, so that many of them need no room at once; and the version that they are of. */
  readonly directory: () => Promise<{ readonly version: number; readonly rows: AsyncIterable<readonly DirectoryRow[]> }>
  /** What has changed since a version; undefined: nothing. */
  readonly changesSince: (version: number) => Promise<RecordChanges | undefined>
  readonly find: <K extends RecordKind>(kind: K, id: string) => Promise<RecordOf<K> | undefined>
  readonly list: <K extends RecordKind>(query: RecordQuery<K>) => Promise<Page<RecordOf<K>>>
  /** Gives the version that the change has made. Rejects with a `RecordsChangedError` where it was made from records that are not so any more. */
  readonly edit: (edit: RecordEdit) => Promise<number>
  /**
   * Writes bookings, all of them or none; one that is there already, or whose object is booked, is left as it is. Notes of each key when it was last used. Rejects with
   * another error than a `LedgerError` where one of them is such that it can never be written.
   */
  readonly book: (bookings: readonly Booking[]) => Promise<void>
  /** Rows of calls behind a place, the oldest first. */
  readonly bookings: (after: BookingPlace | undefined, limit: number) => Promise<readonly Booking[]>
  /** A page of what is asked for: one that would be large ends before, so that its time is bounded however many keys and rows there are. */
  readonly usage: (query: UsageQuery) => Promise<UsagePage>
  /**
   * What was spent from `from` up to `to`, in nano-dollars: in a project, by a key, or in all. Both times are whole quarters of an hour, in
   * seconds since 1970, as all beginnings of days are in all time zones of today.
   */
  readonly spent: (scope: { projectId?: string; keyId?: string }, from: number, to: number) => Promise<bigint>
  /** When keys were last used, in seconds since 1970. */
  readonly lastUsed: (keyIds: readonly string[]) => Promise<ReadonlyMap<string, number>>
  /** Notes who has made objects whose cost is told later; one that is known stays as it is. */
  readonly remember: (objects: readonly MadeObject[]) => Promise<void>
  /** The object of an id; undefined: it was not made here, or so long ago that it can't be fetched any more. */
  readonly object: (id: string) => Promise<MadeObject | undefined>
  /** Objects behind one, by their ids. */
  readonly objects: (after: string, limit: number) => Promise<readonly MadeObject[]>
  readonly audit: (query: AuditQuery) => Promise<Page<AuditEvent>>
  /** Removes bookings and sums by minute from before a time, in seconds since 1970, and objects of long before. Sums by quarter of an hour and day stay. */
  readonly forget: (before: number) => Promise<void>
  readonly extent: () => Promise<LedgerExtent>
  readonly close: () => Promise<void>
}
