import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chownSync, copyFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SQL } from 'bun'
import { Secret } from '../../../../src/config/secret.ts'
import { type Ledger, LedgerError } from '../../../../src/ledger/ledger.ts'
import { PostgresConnections } from '../../../../src/ledger/postgres/postgres-connections.ts'
import { openPostgresLedger } from '../../../../src/ledger/postgres/postgres-ledger.ts'
import { marks } from '../../../../src/ledger/record-queries.ts'
import type { Booking, ProjectRecord } from '../../../../src/ledger/records.ts'
import { openSqliteLedger } from '../../../../src/ledger/sqlite/sqlite-ledger.ts'
import { NO_USAGE } from '../../../../src/openai/usage/usage.ts'
import { POSTGRES_MISSING, type PostgresServer, startPostgres } from '../../../helpers/postgres.ts'
import { makeSelfSigned } from '../../../helpers/self-signed.ts'
import { until } from '../../../helpers/until.ts'
import { seededRandom } from '../../routing/targets/router-parts.ts'

/** The user that Postgres runs as where the tests are root's. */
const NOBODY = 65_534
const FROM = Date.UTC(2026, 10, 1) / 1000
const DAY = 86_400

const PROJECT: ProjectRecord = {
  kind: 'project',
  id: 'proj_1',
  name: 'one',
  createdAt: FROM,
  timeZone: 'UTC',
  limits: { spend: { month: 5_000_000_000_000n }, rates: [] },
  managedBy: 'api',
}

/** Bookings of ten days, the same in every run. */
function bookings(count: number): readonly Booking[] {
  const random = seededRandom()
  const upTo = (end: number): number => Math.floor(random() * end)
  return Array.from({ length: count }, (_, index) => ({
    id: index.toString(16).padStart(32, '0'),
    at: FROM * 1000 + upTo(10 * DAY * 1000),
    requestId: `req_${index}`,
    keyId: `key_${upTo(20)}`,
    projectId: `proj_${upTo(3)}`,
    model: `model-${upTo(3)}`,
    servedModel: 'model',
    endpoint: 'chat/completions',
    upstream: 'openai',
    tier: upTo(2) === 0 ? 'default' : 'flex',
    isBatch: upTo(2) === 0,
    usage: { ...NO_USAGE, inputText: upTo(1000), outputText: upTo(1000), seconds: upTo(9) / 2 },
    cost: upTo(1_000_000_000),
    saved: upTo(9),
    pricedBy: 'table' as const,
    isEstimated: false,
    outcome: 'complete' as const,
    status: 200,
  }))
}

describe.skipIf(POSTGRES_MISSING !== undefined)('the books in Postgres', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  /** Two nodes on one database that is empty. */
  async function twoNodes(silenceMs?: number): Promise<readonly [Ledger, Ledger, SQL]> {
    const url = await server.database()
    const [one, other] = await Promise.all([
      openPostgresLedger(new Secret(url), { silenceMs }),
      openPostgresLedger(new Secret(url), { silenceMs }),
    ])
    return [one, other, new SQL(url, { max: 1 })]
  }

  test('add up what two nodes book at once as one file does, and what both have booked once', async () => {
    const [one, other] = await twoNodes()
    const file = await openSqliteLedger(':memory:')
    const rows = bookings(2000)
    await Promise.all(
      [0, 500, 1000, 1500].map((from) =>
        (from % 1000 === 0 ? one : other).book([...rows.slice(from, from + 500), ...rows.slice(0, 20)]),
      ),
    )
    await file.book(rows)
    const shown = ({ sums }: Awaited<ReturnType<Ledger['usage']>>): string[] =>
      sums
        .map((sum) =>
          JSON.stringify(sum, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
        )
        .toSorted()
    const where = { project: ['proj_0', 'proj_2'] }
    for (const groupBy of [[], ['project'], ['key', 'model'], ['batch', 'tier', 'endpoint', 'upstream']] as const) {
      const query = { from: FROM + DAY, to: FROM + 5 * DAY, bucketSeconds: 3600, where, groupBy } as const
      const told = shown(await other.usage(query))
      expect(told).toEqual(shown(await file.usage(query)))
      expect(told.length).toBeGreaterThan(90)
    }
    for (const scope of [{}, { projectId: 'proj_1' }, { keyId: 'key_7' }]) {
      const spent = await one.spent(scope, FROM + 900, FROM + 6 * DAY + 2700)
      expect(spent).toBe(await file.spent(scope, FROM + 900, FROM + 6 * DAY + 2700))
      expect(spent).toBeGreaterThan(0n)
      expect(await one.spent(scope, 0, Number.POSITIVE_INFINITY)).toBe(
        await file.spent(scope, 0, Number.POSITIVE_INFINITY),
      )
    }
  })

  test('give each edit a version of its own, and what one node edits the other learns', async () => {
    const [one, other] = await twoNodes()
    const edits = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? one : other).edit({ put: [{ ...PROJECT, id: `proj_${index}` }], remove: [], audit: [] }),
    )
    expect((await Promise.all(edits)).toSorted((left, right) => left - right)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    )
    expect((await one.changesSince(0))?.changed).toHaveLength(20)
    await one.edit({ put: [], remove: ['proj_3'], audit: [] })
    expect(await other.changesSince(20)).toEqual({
      version: 21,
      changed: [],
      removed: [{ id: 'proj_3', digests: [] }],
    })
    expect(await other.changesSince(21)).toBeUndefined()
  })

  test('are refused where their tables are of a newer version', async () => {
    const [, , sql] = await twoNodes()
    const name = String((await sql`SELECT current_database()`.values())[0]?.[0])
    await sql`UPDATE nexcode.ledger SET version = 99`
    const opening = openPostgresLedger(new Secret(`postgres://nexcode@127.0.0.1:${server.port}/${name}`))
    expect(await opening.catch((thrown: unknown) => thrown)).toMatchObject({
      name: 'OpenLedgerError',
      wrong: expect.stringContaining('newer version'),
    })
  })

  test('wait for no server that is silent, and go on when it is back, or was ended and started again', async () => {
    const [one] = await twoNodes(300)
    await one.edit({ put: [PROJECT], remove: [], audit: [] })
    server.pause()
    expect(await one.find('project', 'proj_1').catch((thrown: unknown) => thrown)).toBeInstanceOf(LedgerError)
    server.resume()
    expect(await one.find('project', 'proj_1')).toEqual(PROJECT)
    await server.kill()
    // The process behind a connection may live a moment longer.
    await until(
      async () => (await one.find('project', 'proj_1').catch((thrown: unknown) => thrown)) instanceof LedgerError,
    )
    await server.restart()
    expect(await one.find('project', 'proj_1')).toEqual(PROJECT)
  })

  test('keep no statement prepared: questions have as many texts as lists of keys have lengths', async () => {
    const connections = new PostgresConnections(new Secret(await server.database()))
    for (let length = 1; length <= 50; length += 1)
      await connections.ask({ sql: `SELECT 1 WHERE '' IN (${marks(length)})`, values: Array(length).fill('') })
    const kept = await Promise.all(
      Array.from({ length: 8 }, () => connections.run('SELECT count(*) FROM pg_prepared_statements, pg_sleep(0.05)')),
    )
    expect(kept.flat(2).map(Number)).toEqual(Array(8).fill(0))
    await connections.close()
  })

  test('are reached by TLS as the URL says: asked for, or with a certificate that has to be right', async () => {
    const url = await server.database()
    const { certFile, key, remove } = makeSelfSigned()
    const admin = new SQL(url, { max: 1 })
    const folder = dirname(String((await admin`SHOW config_file`.values())[0]?.[0]))
    copyFileSync(certFile, join(folder, 'server.crt'))
    writeFileSync(join(folder, 'server.key'), key, { mode: 0o600 })
    if (process.getuid?.() === 0)
      for (const name of ['server.crt', 'server.key']) chownSync(join(folder, name), NOBODY, NOBODY)
    await admin`ALTER SYSTEM SET ssl = on`
    await admin`SELECT pg_reload_conf()`
    await until(async () => (await new SQL(url, { max: 1 })`SHOW ssl`.values())[0]?.[0] === 'on')
    const encrypted = async (more: string): Promise<unknown> => {
      const ledger = await openPostgresLedger(new Secret(`${url}?${more}`)).catch((thrown: unknown) => thrown)
      if (ledger instanceof Error) return ledger.message
      const rows = await admin`SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'nexcode' AND datname = current_database()`.values()
      await (ledger as Ledger).close()
      return rows[0]?.[0]
    }
    expect(await encrypted('sslmode=disable')).toBe(false)
    expect(await encrypted('sslmode=require')).toBe(true)
    expect(await encrypted('sslmode=verify-full')).toContain('self signed certificate')
    expect(await encrypted(`sslmode=verify-full&sslrootcert=${certFile}`)).toBe(true)
    expect(await encrypted('sslmode=nonsense')).toContain('is no URL that the client of Postgres takes')
    remove()
    await admin.close()
  })
})
