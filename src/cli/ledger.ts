import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Ledger, OpenLedgerError } from '../ledger/ledger.ts'
import { openLedger } from '../ledger/open-ledger.ts'
import { checkExport, exportLedger, importLedger, TransferError } from '../ledger/transfer.ts'
import { readWholeConfiguration } from '../process/configuration.ts'
import { INVALID } from '../process/start-failure.ts'
import { describeCause } from '../telemetry/describe-error.ts'
import type { Flags } from './flags.ts'
import { writeOut } from './write-out.ts'

const FAILED = 1
/** The standard input. */
const STDIN = '-'

/**
 * Writes all of the configured ledger as lines of JSON, or takes such lines into it. Gives the exit code: 0; 1 where the ledger or the file
 * fails; 2 for an invalid command or configuration.
 *
 * @example
 * process.exit(await ledger({ args: ['export'], config: undefined }))
 */
export async function ledger({ args: [action, file], config: given }: Pick<Flags, 'args' | 'config'>): Promise<number> {
  if (action === undefined)
    return fail('say what to do: nexcode ledger export, or nexcode ledger import FILE.', INVALID)
  if ((action === 'import') !== (file !== undefined))
    return fail('nexcode ledger import FILE takes one file, or - for standard input; export takes none.', INVALID)
  const configuration = await readWholeConfiguration(process.env, given)
  if (configuration === undefined) return INVALID
  const { store } = configuration.config.settings.ledger
  if (store === undefined || store.reveal() === 'memory')
    return fail('there is no ledger that another process can see: set LEDGER, or ledger.store in the file.', INVALID)
  let books: Ledger | undefined
  try {
    books = await openLedger(store.reveal())
    if (file === undefined) for await (const lines of exportLedger(books)) await writeOut(process.stdout, lines)
    else await take(books, file)
    return 0
  } catch (cause) {
    if (cause instanceof OpenLedgerError) return fail(`the ledger ${cause.wrong}. ${cause.cure}`, INVALID)
    if (cause instanceof TransferError) return fail(`${file} can not be taken: ${cause.message}`, FAILED)
    return fail(`it does not do what it was asked for: ${describeCause(cause)}`, FAILED)
  } finally {
    await books?.close()
  }
}

/** A file is read twice: nothing is taken of one that is not whole. */
async function take(books: Ledger, file: string): Promise<void> {
  if (file !== STDIN) await checkExport(linesOf(file))
  const { records, audit, bookings } = await importLedger(books, linesOf(file)).catch((cause: unknown) => {
    if (!(cause instanceof TransferError)) throw cause
    throw new TransferError(
      `${cause.message} What came before is in the ledger: take the whole export again, each row counts once.`,
    )
  })
  await writeOut(process.stdout, `${records} records, ${audit} entries of the audit log, ${bookings} calls\n`)
}

function linesOf(file: string): AsyncIterable<string> {
  const input = file === STDIN ? process.stdin : createReadStream(file)
  return createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
}

function fail(text: string, code: number): number {
  process.stderr.write(`nexcode ledger: ${text}\n`)
  return code
}
