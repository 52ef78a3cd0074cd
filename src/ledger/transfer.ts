import { type Ledger, LedgerError, type RecordKind } from './ledger.ts'
import type { MadeObject } from './made-objects.ts'
import { parseRecord, stringifyRecord } from './record-json.ts'
import type { AuditEvent, Booking, LedgerRecord } from './records.ts'

/** The kinds in an order in which what one needs comes before it. */
const KINDS: readonly RecordKind[] = ['organization', 'project', 'service_account', 'key', 'admin_key', 'spend_alert']
const PAGE = 500
/** The first line: what the others are. */
const HEAD = { nexcode_ledger: 1 }

/** A line behind the first. */
interface TransferLine {
  readonly record?: object
  readonly audit?: AuditEvent
  readonly booking?: Booking
  readonly object?: MadeObject
}

/** How many lines of each kind were taken. */
export interface TakenLines {
  records: number
  audit: number
  bookings: number
}

/** Is thrown for a line that is none of an export: the message says which. */
export class TransferError extends Error {}

/**
 * Writes all of a ledger as lines of JSON, page by page: records, the audit log, the rows of calls that are kept, and who has made
 * which object. Of keys there are only
 * digests. Rejects with a `LedgerError`.
 *
 * @example
 * for await (const lines of exportLedger(ledger)) await writeOut(process.stdout, lines)
 */
export async function* exportLedger(ledger: Ledger): AsyncGenerator<string> {
  yield `${JSON.stringify(HEAD)}\n`
  for (const kind of KINDS)
    for (let after: string | undefined; ; ) {
      const { data, hasMore } = await ledger.list({ kind, after, limit: PAGE, order: 'asc', archived: true })
      yield data.map((record) => `{"record":${stringifyRecord(record)}}\n`).join('')
      after = data.at(-1)?.id
      if (!hasMore) break
    }
  for (let after: string | undefined; ; ) {
    const { data, hasMore } = await ledger.audit({ after, limit: PAGE })
    yield data.map((audit) => `${JSON.stringify({ audit })}\n`).join('')
    after = data.at(-1)?.id
    if (!hasMore) break
  }
  for (let after: Booking | undefined; ; ) {
    const rows = await ledger.bookings(after, PAGE)
    yield rows.map((booking) => `${JSON.stringify({ booking })}\n`).join('')
    after = rows.at(-1)
    if (rows.length < PAGE) break
  }
  for (let after = ''; ; ) {
    const objects = await ledger.objects(after, PAGE)
    yield objects.map((object) => `${JSON.stringify({ object })}\n`).join('')
    after = objects.at(-1)?.id ?? after
    if (objects.length < PAGE) return
  }
}

/**
 * Takes the lines of an export into a ledger: records replace those of the same id, and what else is there already is left as it is, so that
 * the same export may be taken again. Rejects with a `TransferError`, or a `LedgerError`.
 *
 * @example
 * const { bookings } = await importLedger(ledger, lines)
 */
export async function importLedger(ledger: Ledger, lines: AsyncIterable<string>): Promise<TakenLines> {
  const taken: TakenLines = { records: 0, audit: 0, bookings: 0 }
  const waiting = { records: [] as LedgerRecord[], audit: [] as AuditEvent[], bookings: [] as Booking[] }
  const objects: MadeObject[] = []
  const write = async (least: number): Promise<void> => {
    const { records, audit, bookings } = waiting
    if (records.length >= least) await ledger.edit({ put: records.splice(0), remove: [], audit: [] })
    if (audit.length >= least) await putAudit(ledger, audit.splice(0))
    if (bookings.length >= least) await ledger.book(bookings.splice(0))
    if (objects.length >= least) await ledger.remember(objects.splice(0))
  }
  let number = 0
  for await (const text of lines) {
    number += 1
    const line = parseLine(text, number)
    if (line.record !== undefined) taken.records += waiting.records.push(parseRecord(JSON.stringify(line.record))) && 1
    if (line.audit !== undefined) taken.audit += waiting.audit.push(line.audit) && 1
    if (line.object !== undefined) objects.push(line.object)
    if (line.booking !== undefined) taken.bookings += waiting.bookings.push(rowOf(line.booking)) && 1
    await write(PAGE)
  }
  if (number === 0) throw new TransferError('it is empty.')
  await write(1)
  return taken
}

/** A batch that is in the books is booked, also where an export of before tells no objects. */
function rowOf(booking: Booking): Booking {
  return booking.isBatch ? { ...booking, isObject: true } : booking
}

function parseLine(text: string, number: number): TransferLine {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    throw new TransferError(`line ${number} is no JSON.`)
  }
  if (typeof line !== 'object' || line === null) throw new TransferError(`line ${number} is no object.`)
  if (number === 1 && (line as typeof HEAD).nexcode_ledger !== HEAD.nexcode_ledger)
    throw new TransferError('it is no export of a ledger of this version.')
  return line
}

/** Those that are there already are refused with all that comes with them: then each is put by itself. */
async function putAudit(ledger: Ledger, audit: readonly AuditEvent[]): Promise<void> {
  try {
    await ledger.edit({ put: [], remove: [], audit })
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause
    if (audit.length > 1) for (const one of audit) await putAudit(ledger, [one])
  }
}
