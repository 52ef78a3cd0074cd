import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ledger } from '../../../src/ledger/ledger.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { POSTGRES_MISSING, type PostgresServer, startPostgres } from '../../helpers/postgres.ts'

/** One kind of ledger, as the contract suite needs it. */
export interface LedgerUnderTest {
  readonly name: string
  /** Why it can't be tested here. */
  readonly missing: string | undefined
  /** Opens an empty ledger, so often as is asked for: as so many processes would. It closes with the test. */
  readonly open: (processes?: number) => Promise<readonly [Ledger, ...Ledger[]]>
  /** Whether more than one process can have it open. */
  readonly isShared: boolean
  readonly end: () => Promise<void>
}

/** All kinds of ledger; what each needs is started when it is first opened. */
export function ledgersUnderTest(): readonly LedgerUnderTest[] {
  return [inMemory(), inFile(), inPostgres()]
}

async function openAll(spec: string, processes: number): Promise<readonly [Ledger, ...Ledger[]]> {
  const first = await openLedger(spec)
  const others = await Promise.all(Array.from({ length: processes - 1 }, () => openLedger(spec)))
  return [first, ...others]
}

function inMemory(): LedgerUnderTest {
  return {
    name: 'memory',
    missing: undefined,
    open: () => openAll('memory', 1),
    isShared: false,
    end: async () => undefined,
  }
}

function inFile(): LedgerUnderTest {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-ledger-'))
  let files = 0
  return {
    name: 'sqlite',
    missing: undefined,
    async open(processes = 1) {
      files += 1
      return openAll(`sqlite:${join(folder, `${files}.db`)}`, processes)
    },
    isShared: true,
    end: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

function inPostgres(): LedgerUnderTest {
  let starting: Promise<PostgresServer> | undefined
  return {
    name: 'postgres',
    missing: POSTGRES_MISSING,
    async open(processes = 1) {
      starting ??= startPostgres()
      return openAll(await (await starting).database(), processes)
    },
    isShared: true,
    end: async () => void (await (await starting)?.stop()),
  }
}
