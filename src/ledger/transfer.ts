import { type Ledger, LedgerError, type RecordKind } from './ledger.ts'
import type { MadeObject } from './made-objects.ts'
import { parseRecord, stringifyRecord } from './record-json.ts'
import type { AuditEvent, Booking, LedgerRecord } from './records.ts'
import { type TransferEnd, TransferSeal } from './transfer-seal.ts'

/** The kinds in an order in which what one needs comes before it. */
const KINDS: readonly RecordKind[] = ['organization', 'project', 'service_account', 'key', 'admin_key', 'spend_alert']
const PAGE = 500
/** The first line: what the others are. */
const HEAD = { nexcode_ledger: 2 }
/** An export of before has no end that tells whether it is whole. */
const UNSEALED = 1

/** A line behind the first. */
interface TransferLine {
  readonly record?: object
  readonly audit?: AuditEvent
  readonly booking?: Booking
  readonly object?: MadeObject
  readonly end?: TransferEnd
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
 * which object. Of keys there are only digests. The last line tells whether all are there. Rejects with a `LedgerError`.
 *
 * @example
 * for await (const lines of exportLedger(ledger)) await writeOut(process.stdout, lines)
 */
export async function* exportLedger(ledger: Ledger): AsyncGenerator<string> {
  const seal = new TransferSeal()
  for await (const page of pagesOf(ledger)) {
    for (const line of page.split('\n')) if (line !== '') await seal.add(line)
    yield page
  }
  yield `${JSON.stringify({ end: await seal.end() })}\n`
}

async function* pagesOf(ledger: Ledger): AsyncGenerator<string> {
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
 * the same export may be taken again. Lines are taken as they come: whether all are whole is known at the end (`checkExport` knows it before).
 * Rejects with a `TransferError`, or a `LedgerError`.
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
  for await (const line of wholeLines(lines)) {
    if (line.record !== undefined) taken.records += waiting.records.push(parseRecord(JSON.stringify(line.record))) && 1
    if (line.audit !== undefined) taken.audit += waiting.audit.push(line.audit) && 1
    if (line.object !== undefined) objects.push(line.object)
    if (line.booking !== undefined) taken.bookings += waiting.bookings.push(rowOf(line.booking)) && 1
    await write(PAGE)
  }
  await write(1)
  return taken
}

/**
 * Reads an export to its end, and takes nothing. Rejects with a `TransferError` where it was cut off or changed.
 *
 * @example
 * await checkExport(lines)
 */
export async function checkExport(lines: AsyncIterable<string>): Promise<void> {
  for await (const _line of wholeLines(lines));
}

/** The lines of an export between its first and its last. Throws a `TransferError` at the end where they are not those that were written. */
async function* wholeLines(lines: AsyncIterable<string>): AsyncGenerator<TransferLine> {
  const seal = new TransferSeal()
  let [number, isSealed, end] = [0, true, undefined as TransferEnd | undefined]
  for await (const text of lines) {
    number += 1
    const line = parseLine(text, number)
    if (end !== undefined) throw new TransferError(`line ${number} stands behind its end.`)
    if (number === 1) isSealed = (line as typeof HEAD).nexcode_ledger !== UNSEALED
    end = line.end
    if (end !== undefined) continue
    await seal.add(text)
    yield line
  }
  if (number === 0) throw new TransferError('it is empty.')
  if (!isSealed) return
  if (end === undefined) throw new TransferError(`it is cut off: it has ${number} lines, and no end. Export it again.`)
  const sealed = await seal.end()
  if (sealed.lines === end.lines && sealed.sha256 === end.sha256) return
  const why =
    sealed.lines === end.lines ? 'a line was changed' : `${end.lines} lines were written, and ${sealed.lines} are there`
  throw new TransferError(`it is not what was exported: ${why}. Export it again.`)
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
  const version = (line as Partial<typeof HEAD>).nexcode_ledger
  if (number === 1 && version !== HEAD.nexcode_ledger && version !== UNSEALED)
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
