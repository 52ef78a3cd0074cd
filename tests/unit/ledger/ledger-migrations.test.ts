import { Database } from 'bun:sqlite'
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SQL } from 'bun'
import type { Ledger, UsageQuery } from '../../../src/ledger/ledger.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { exportLedger, importLedger } from '../../../src/ledger/transfer.ts'
import { POSTGRES_MISSING, startPostgres } from '../../helpers/postgres.ts'
import { makeBooking, NOON } from './make-booking.ts'

/** What each version's tables held, as they were made by that version: SQL, and what the first one exported of the same calls. */
const FIXTURES = join(import.meta.dir, '../../fixtures/ledger')
const VERSIONS = [1, 2]
const DAY = 86_400
const MIDNIGHT = NOON - (NOON % DAY)

const folder = mkdtempSync(join(tmpdir(), 'nexcode-migrations-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const read = (version: number, kind: string): string =>
  readFileSync(join(FIXTURES, `version-${version}.${kind}`), 'utf8')

async function* linesOf(text: string): AsyncGenerator<string> {
  yield* text.split('\n').filter((line) => line !== '')
}

/** All that a ledger tells of its calls. */
async function toldBy(ledger: Ledger): Promise<unknown> {
  const range = { from: MIDNIGHT, to: MIDNIGHT + 3 * DAY } as const
  const groupings: readonly UsageQuery['groupBy'][] = [
    [],
    ['project'],
    ['key'],
    ['project', 'key', 'model', 'batch', 'tier', 'endpoint', 'upstream'],
  ]
  const told: unknown[] = []
  for (const bucketSeconds of [60, 3600, 86_400] as const)
    for (const groupBy of groupings) {
      const { sums, next } = await ledger.usage({ ...range, bucketSeconds, where: {}, groupBy })
      told.push([next, sums.map((sum) => inOneForm(sum)).toSorted()])
    }
  for (const scope of [{}, { projectId: 'proj_a' }, { keyId: 'key_a' }, { keyId: 'key_c' }])
    for (const from of [0, NOON + 900, NOON + 1800]) told.push(String(await ledger.spent(scope, from, NOON + 2 * DAY)))
  told.push([...(await ledger.lastUsed(['key_a', 'key_b', 'key_c']))].toSorted())
  return told
}

const inOneForm = (sum: object): string =>
  JSON.stringify(sum, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value))

/** The lines of an export, but for objects, which older exports do not have, and its end. */
async function exportedBy(ledger: Ledger): Promise<readonly string[]> {
  const pages = await Array.fromAsync(exportLedger(ledger))
  return pages
    .join('')
    .split('\n')
    .filter((line) => !/^\{"(?:object|end)":/.test(line))
}

/** What was told is what a ledger of this version tells of the same calls; and it goes on. */
async function expectWhole(ledger: Ledger): Promise<void> {
  const anew = await openLedger('memory')
  await importLedger(anew, linesOf(readFileSync(join(FIXTURES, 'calls.jsonl'), 'utf8')))
  expect(await toldBy(ledger)).toEqual(await toldBy(anew))
  const row = makeBooking({ id: 'f'.repeat(32), projectId: 'proj_new', model: 'a-new-model' })
  for (const one of [ledger, anew]) await one.book([row])
  expect(await toldBy(ledger)).toEqual(await toldBy(anew))
  expect(await exportedBy(ledger)).toEqual(await exportedBy(anew))
  await anew.close()
  await ledger.close()
}

for (const version of VERSIONS) {
  test(`a file of version ${version} is taken to this one: its calls, keys and audit log are told as before`, async () => {
    const path = join(folder, `${version}.db`)
    const database = new Database(path)
    database.run(read(version, 'sqlite.sql'))
    database.run(`PRAGMA application_id = ${0x4e584c47}; PRAGMA user_version = ${version}`)
    database.close()
    const migrated: number[] = []
    await expectWhole(await openLedger(`sqlite:${path}`, (from) => migrated.push(from)))
    expect(migrated).toEqual([version])
  })
}

describe.skipIf(POSTGRES_MISSING !== undefined)('in Postgres', () => {
  for (const version of VERSIONS) {
    test(`tables of version ${version} are taken to this one by one of two nodes that start at once`, async () => {
      const server = await startPostgres()
      const url = await server.database()
      const sql = new SQL(url, { max: 1 })
      await sql.unsafe(read(version, 'postgres.sql')).simple()
      await sql.close()
      const migrated: number[] = []
      const open = () => openLedger(url, (from) => migrated.push(from))
      const [one, other] = await Promise.all([open(), open()])
      expect(migrated).toEqual([version])
      await other.close()
      await expectWhole(one)
      await server.stop()
    })
  }
})
