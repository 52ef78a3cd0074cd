import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { Books } from '../ledger/books.ts'
import { NO_LIMITS } from '../ledger/first-records.ts'
import type { KeyEntry, LedgerRecord } from '../ledger/records.ts'
import { CallerLimits } from '../metering/caller-limits.ts'
import { budgetDemands } from '../metering/demand.ts'

/**
 * Has budgets told anew by the books after an edit of them. While a limit was taken away, nobody counted for it; so a counter that is still there
 * from before knows too little.
 */
export class EditedBudgets {
  readonly #books: Pick<Books, 'directory' | 'bookings' | 'limiter'>
  #edited: readonly CallerLimits[] = []

  constructor(books: Pick<Books, 'directory' | 'bookings' | 'limiter'>) {
    this.#books = books
  }

  /** Notes an edit of a record that was there before. */
  note(record: LedgerRecord): void {
    const entry = this.#entryOf(record)
    const limits = entry === undefined ? undefined : new CallerLimits(entry)
    if (limits?.hasBudget === true) this.#edited = [...this.#edited, limits]
  }

  /** Resolves once the books will be asked before anything is decided by what was edited, with all in them that this process has booked. */
  async settle(): Promise<void> {
    if (this.#edited.length === 0) return
    const edited = this.#edited
    this.#edited = []
    const { bookings, limiter } = this.#books
    await bookings.flush()
    const now = Date.now()
    // Where it can't be told now, the comparison with the books comes to the same within a minute.
    for (const limits of edited) await ignoreRejection(limiter.distrust(budgetDemands(limits, now)))
  }

  #entryOf(record: LedgerRecord): KeyEntry | undefined {
    const { directory } = this.#books
    const nobody = { id: '', kind: 'key', expiresAt: 0, limits: NO_LIMITS, project: undefined } as const
    if (record.kind === 'organization') return { ...nobody, organization: record }
    if (record.kind === 'project') return { ...nobody, project: record, organization: undefined }
    if (record.kind !== 'key') return undefined
    const { id, limits, projectId } = record
    return { ...nobody, id, limits, project: directory.project(projectId), organization: undefined }
  }
}
