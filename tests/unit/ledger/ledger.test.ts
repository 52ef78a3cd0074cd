import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { type DirectoryRow, type Ledger, RecordsChangedError, type UsageQuery } from '../../../src/ledger/ledger.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import type { AuditEvent, Booking, KeyRecord, ProjectRecord } from '../../../src/ledger/records.ts'
import { exportLedger, importLedger } from '../../../src/ledger/transfer.ts'
import { NO_USAGE } from '../../../src/openai/usage/usage.ts'
import { ledgersUnderTest } from './ledgers-under-test.ts'
import { makeBooking, NOON } from './make-booking.ts'

const DAY = 86_400
const MIDNIGHT = NOON - (NOON % DAY)

function project(id: string, parts: Partial<ProjectRecord> = {}): ProjectRecord {
  const limits = { spend: { month: 5_000_000_000_000n }, rates: [] }
  return { kind: 'project', id, name: id, createdAt: NOON, timeZone: 'UTC', managedBy: 'api', limits, ...parts }
}

function key(id: string, parts: Partial<KeyRecord> = {}): KeyRecord {
  return {
    kind: 'key',
    id,
    projectId: 'proj_a',
    ownerId: 'svc_acct_a',
    name: id,
    digest: new Bun.CryptoHasher('sha256').update(id).digest('hex'),
    redacted: 'sk-nex-…abcd',
    createdAt: NOON,
    limits: { spend: {}, rates: [] },
    metadata: {},
    managedBy: 'api',
    ...parts,
  }
}

function event(id: string, parts: Partial<AuditEvent> = {}): AuditEvent {
  return {
    id,
    type: 'api_key.created',
    at: NOON,
    actorKeyId: 'key_admin',
    resourceId: 'key_1',
    details: { data: { scopes: [] } },
    ...parts,
  }
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const chunk of chunks) yield* chunk.split('\n').filter((line) => line !== '')
}

const put = (ledger: Ledger, ...records: (ProjectRecord | KeyRecord)[]) =>
  ledger.edit({ put: records, remove: [], audit: [] })
const ids = (page: { readonly data: readonly { readonly id: string }[] }): string[] => page.data.map(({ id }) => id)

async function directoryOf(ledger: Ledger): Promise<{ version: number; rows: DirectoryRow[] }> {
  const { version, rows } = await ledger.directory()
  const all: DirectoryRow[] = []
  for await (const part of rows) all.push(...part)
  return { version, rows: all }
}

/** What a question gives, in short: where its sum stands, its requests, its cost and its tokens read. */
async function ask(ledger: Ledger, parts: Partial<UsageQuery> = {}): Promise<unknown[]> {
  const query: UsageQuery = {
    from: MIDNIGHT,
    to: MIDNIGHT + DAY,
    bucketSeconds: 86_400,
    where: {},
    groupBy: [],
    ...parts,
  }
  const { sums } = await ledger.usage(query)
  return sums
    .map(({ bucket, group, requests, cost }) => [
      bucket - NOON,
      ...query.groupBy.map((name) => group[name]),
      requests,
      Number(cost),
    ])
    .toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
}

for (const kind of ledgersUnderTest()) {
  describe.skipIf(kind.missing !== undefined)(
    `a ledger: ${kind.name}${kind.missing === undefined ? '' : `, ${kind.missing}`}`,
    () => {
      let opened: readonly Ledger[] = []
      const open = async (): Promise<Ledger> => (await openMany(1))[0]
      const openMany = async (processes: number): Promise<readonly [Ledger, ...Ledger[]]> => {
        const ledgers = await kind.open(processes)
        opened = [...opened, ...ledgers]
        return ledgers
      }
      afterEach(async () => {
        await Promise.all(opened.map((ledger) => ledger.close()))
        opened = []
      })
      afterAll(() => kind.end())
      const testShared = (name: string, body: () => Promise<void>): void => {
        if (kind.isShared) test(name, body)
      }

      describe('keeps records:', () => {
        test('one is found as it was put, by its kind and id, and is gone when it was removed', async () => {
          const ledger = await open()
          await put(ledger, project('proj_a'), key('key_1', { expiresAt: NOON + 5, metadata: { team: 'ü' } }))
          expect(await ledger.find('project', 'proj_a')).toEqual(project('proj_a'))
          expect(await ledger.find('key', 'key_1')).toEqual(
            key('key_1', { expiresAt: NOON + 5, metadata: { team: 'ü' } }),
          )
          expect(await ledger.find('key', 'proj_a')).toBeUndefined()
          await ledger.edit({ put: [], remove: ['key_1'], audit: [] })
          expect(await ledger.find('key', 'key_1')).toBeUndefined()
        })

        test('pages go by creation in both directions, and say whether there is more', async () => {
          const ledger = await open()
          await put(ledger, ...[3, 1, 2, 4].map((n) => project(`proj_${n}`, { createdAt: NOON + n })))
          const list = (parts: object) => ledger.list({ kind: 'project', limit: 2, order: 'asc', ...parts })
          expect(ids(await list({}))).toEqual(['proj_1', 'proj_2'])
          expect((await list({})).hasMore).toBe(true)
          expect(ids(await list({ after: 'proj_2' }))).toEqual(['proj_3', 'proj_4'])
          expect((await list({ after: 'proj_2' })).hasMore).toBe(false)
          expect(ids(await list({ order: 'desc' }))).toEqual(['proj_4', 'proj_3'])
          expect(ids(await list({ order: 'desc', after: 'proj_3' }))).toEqual(['proj_2', 'proj_1'])
          expect(ids(await list({ before: 'proj_4' }))).toEqual(['proj_2', 'proj_3'])
          expect((await list({ before: 'proj_4' })).hasMore).toBe(true)
          expect(ids(await list({ after: 'proj_gone' }))).toEqual([])
        })

        test('a page has the records of one project or owner, and archived projects only where they are asked for', async () => {
          const ledger = await open()
          await put(ledger, project('proj_a'), project('proj_b', { archivedAt: NOON }))
          await put(
            ledger,
            key('key_1'),
            key('key_2', { projectId: 'proj_b' }),
            key('key_3', { ownerId: 'svc_acct_b' }),
          )
          const all = { limit: 10, order: 'asc' } as const
          expect(ids(await ledger.list({ kind: 'project', ...all }))).toEqual(['proj_a'])
          expect(ids(await ledger.list({ kind: 'project', archived: true, ...all }))).toEqual(['proj_a', 'proj_b'])
          expect(ids(await ledger.list({ kind: 'key', projectId: 'proj_a', ...all }))).toEqual(['key_1', 'key_3'])
          expect(ids(await ledger.list({ kind: 'key', ownerId: 'svc_acct_b', ...all }))).toEqual(['key_3'])
        })

        test('an edit that was made from what has changed meanwhile is refused, and changes nothing', async () => {
          const ledger = await open()
          await put(ledger, project('proj_a'))
          const was = await ledger.find('project', 'proj_a')
          await put(ledger, project('proj_a', { name: 'other' }))
          const edit = {
            was: was === undefined ? [] : [was],
            put: [project('proj_b')],
            remove: [],
            audit: [event('audit_1')],
          }
          const thrown = await ledger.edit(edit).catch((cause: unknown) => cause)
          expect(thrown).toBeInstanceOf(RecordsChangedError)
          expect(await ledger.find('project', 'proj_b')).toBeUndefined()
          expect((await ledger.audit({ limit: 10 })).data).toEqual([])
        })

        test('an edit is made as a whole or not at all, with what the audit log says of it', async () => {
          const ledger = await open()
          await ledger.edit({ put: [project('proj_a')], remove: [], audit: [event('audit_1')] })
          const again = { put: [project('proj_b')], remove: ['proj_a'], audit: [event('audit_1')] }
          const thrown = await ledger.edit(again).catch((cause: unknown) => cause)
          expect(thrown).toBeInstanceOf(Error)
          expect(await ledger.find('project', 'proj_a')).toEqual(project('proj_a'))
          expect(await ledger.find('project', 'proj_b')).toBeUndefined()
        })
      })

      describe('tells what has changed:', () => {
        test('the directory has all keys with their digests, expiry and limits', async () => {
          const ledger = await open()
          const limited = key('key_2', { expiresAt: NOON, limits: { spend: { day: 5n }, rates: [] } })
          const version = await put(ledger, project('proj_a'), key('key_1'), limited)
          const { rows, version: told } = await directoryOf(ledger)
          expect(told).toBe(version)
          expect(rows.map(({ id, expiresAt }) => [id, expiresAt])).toEqual([
            ['key_1', 0],
            ['key_2', NOON],
          ])
          expect(rows.map(({ digest }) => Buffer.from(digest).toString('hex'))).toEqual([
            key('key_1').digest,
            limited.digest,
          ])
          expect(rows[0]?.limits).toBeUndefined()
          expect(rows[1]?.limits).toContain('"day":"5"')
        })

        test('since a version: what was put, and what was removed with its digests; nothing where nothing has changed', async () => {
          const ledger = await open()
          const first = await put(ledger, key('key_1'))
          expect(await ledger.changesSince(first)).toBeUndefined()
          const last = await ledger.edit({ put: [key('key_2')], remove: ['key_1'], audit: [] })
          const changes = await ledger.changesSince(first)
          expect(changes?.version).toBe(last)
          expect(changes?.changed).toEqual([key('key_2')])
          expect(changes?.removed.map(({ id }) => id)).toEqual(['key_1'])
          expect(changes?.removed[0]?.digests.map((digest) => Buffer.from(digest).toString('hex'))).toEqual([
            key('key_1').digest,
          ])
        })

        testShared('what one process has changed, another one sees', async () => {
          const [one, other] = await openMany(2)
          const { version } = await directoryOf(other ?? one)
          await put(one, key('key_1'))
          expect((await other?.changesSince(version))?.changed).toEqual([key('key_1')])
        })
      })

      describe('keeps the audit log:', () => {
        test('newest first, by pages', async () => {
          const ledger = await open()
          const audit = [1, 2, 3].map((n) => event(`audit_${n}`, { at: NOON + n, projectId: 'proj_a' }))
          await ledger.edit({ put: [], remove: [], audit })
          expect((await ledger.audit({ limit: 2 })).data).toEqual(audit.toReversed().slice(0, 2))
          expect((await ledger.audit({ limit: 2 })).hasMore).toBe(true)
          expect(ids(await ledger.audit({ limit: 2, after: 'audit_2' }))).toEqual(['audit_1'])
          expect(ids(await ledger.audit({ limit: 1, before: 'audit_1' }))).toEqual(['audit_2'])
        })

        test('by time, type, actor, project and resource', async () => {
          const ledger = await open()
          const audit = [
            event('audit_1', { at: NOON + 1 }),
            event('audit_2', { type: 'project.created', projectId: 'proj_a' }),
            event('audit_3', { actorKeyId: 'key_other', resourceId: 'key_2' }),
          ]
          await ledger.edit({ put: [], remove: [], audit })
          const found = async (parts: object) => ids(await ledger.audit({ limit: 9, ...parts }))
          expect(await found({ from: NOON + 1 })).toEqual(['audit_1'])
          expect(await found({ to: NOON + 1 })).toEqual(['audit_3', 'audit_2'])
          expect(await found({ types: ['project.created'] })).toEqual(['audit_2'])
          expect(await found({ actorIds: ['key_other'] })).toEqual(['audit_3'])
          expect(await found({ projectIds: ['proj_a'] })).toEqual(['audit_2'])
          expect(await found({ resourceIds: ['key_2', 'key_1'], types: ['api_key.created'] })).toEqual([
            'audit_1',
            'audit_3',
          ])
        })
      })

      describe('adds bookings up:', () => {
        test('one that is written twice counts once, in one batch or two', async () => {
          const ledger = await open()
          const row = makeBooking()
          await ledger.book([row, row])
          await ledger.book([row, makeBooking()])
          expect(await ask(ledger)).toEqual([[MIDNIGHT - NOON, 2, 2_000]])
          expect(await ledger.spent({}, MIDNIGHT, MIDNIGHT + DAY)).toBe(2_000n)
        })

        test('every count, to the last one, and more than 53 bits of nano-dollars', async () => {
          const ledger = await open()
          const usage = { ...NO_USAGE }
          for (const [index, name] of Object.keys(NO_USAGE).entries()) Object.assign(usage, { [name]: index + 1 })
          usage.seconds = 1.25
          const row = { usage, cost: 2 ** 53 - 1, saved: 7 }
          await ledger.book([makeBooking(row), makeBooking(row), makeBooking({ usage: NO_USAGE, cost: 2 })])
          const query = { from: MIDNIGHT, to: NOON + DAY, bucketSeconds: 86_400, where: {}, groupBy: [] } as const
          const [sum] = (await ledger.usage(query)).sums
          const doubled = Object.fromEntries(Object.entries(usage).map(([name, value]) => [name, value * 2]))
          expect(sum?.usage).toEqual(doubled)
          expect([sum?.requests, sum?.cost, sum?.saved]).toEqual([3, 2n ** 54n, 14n])
          const [costs] = (await ledger.usage({ ...query, counts: ['images'] })).sums
          expect(costs).toEqual({
            bucket: MIDNIGHT,
            group: {},
            requests: 3,
            cost: 2n ** 54n,
            saved: 14n,
            usage: { images: usage.images * 2 },
          })
        })

        const TWO_OF_EACH: readonly [Partial<Booking>, Partial<Booking>, string][] = [
          [{ projectId: 'a' }, { projectId: 'b' }, 'project'],
          [{ keyId: 'a' }, { keyId: 'b' }, 'key'],
          [{ model: 'a' }, { model: 'b' }, 'model'],
          [{ endpoint: 'a' }, { endpoint: 'b' }, 'endpoint'],
          [{ upstream: 'a' }, { upstream: 'b' }, 'upstream'],
          [{ tier: 'a' }, { tier: 'b' }, 'tier'],
        ]
        for (const [one, other, dimension] of TWO_OF_EACH) {
          test(`by ${dimension}, and only those that are asked for, in buckets of each width`, async () => {
            const ledger = await open()
            await ledger.book([makeBooking(one), makeBooking(one), makeBooking(other)])
            for (const bucketSeconds of [60, 3_600, 86_400] as const) {
              const bucket = NOON - (NOON % bucketSeconds) - NOON
              const groupBy = [dimension as 'model']
              expect(await ask(ledger, { bucketSeconds, groupBy })).toEqual([
                [bucket, 'a', 2, 2_000],
                [bucket, 'b', 1, 1_000],
              ])
              expect(await ask(ledger, { bucketSeconds, groupBy: [], where: { [dimension]: ['b', 'c'] } })).toEqual([
                [bucket, 1, 1_000],
              ])
              expect(await ask(ledger, { bucketSeconds, groupBy, where: { [dimension]: ['c'] } })).toEqual([])
            }
          })
        }

        test('by more than one, with a filter by another', async () => {
          const ledger = await open()
          await ledger.book([
            makeBooking({ isBatch: true }),
            makeBooking({ keyId: 'key_b', isBatch: true }),
            makeBooking({ keyId: 'key_b', model: 'o3' }),
          ])
          expect(await ask(ledger, { groupBy: ['key', 'model', 'batch'] })).toEqual([
            [MIDNIGHT - NOON, 'key_a', 'gpt-4o', 'true', 1, 1_000],
            [MIDNIGHT - NOON, 'key_b', 'gpt-4o', 'true', 1, 1_000],
            [MIDNIGHT - NOON, 'key_b', 'o3', 'false', 1, 1_000],
          ])
          expect(await ask(ledger, { groupBy: ['model'], where: { key: ['key_b'], batch: ['false'] } })).toEqual([
            [MIDNIGHT - NOON, 'o3', 1, 1_000],
          ])
        })

        test('each bucket has what came from its first moment to its last one', async () => {
          const ledger = await open()
          const at = (second: number) => makeBooking({ at: second })
          await ledger.book([at(NOON * 1000 - 1), at(NOON * 1000), at(NOON * 1000 + 59_999), at(NOON * 1000 + 60_000)])
          const minutes = { from: NOON - 60, to: NOON + 120, bucketSeconds: 60 } as const
          const expected = [
            [-60, 1, 1_000],
            [0, 2, 2_000],
            [60, 1, 1_000],
          ]
          expect(await ask(ledger, minutes)).toEqual(expected)
          expect(await ask(ledger, { ...minutes, where: { key: ['key_a'] } })).toEqual(expected)
          expect(await ask(ledger, { ...minutes, from: NOON, to: NOON + 60 })).toEqual([[0, 2, 2_000]])
        })
      })

      test('a page of very many keys ends before all are told, within a bucket, and the next ones have the rest, once', async () => {
        const ledger = await open()
        const rows = Array.from({ length: 3_000 }, (_, n) =>
          makeBooking({
            keyId: `key_${n}`,
            projectId: `proj_${n % 7}`,
            model: `m${n % 2}`,
            at: (NOON + (n % 3)) * 1000,
          }),
        )
        await ledger.book([...rows, makeBooking({ keyId: 'key_0', projectId: 'proj_0', at: (NOON + DAY) * 1000 })])
        for (const bucketSeconds of [60, 3_600, 86_400] as const) {
          const range = { from: MIDNIGHT, to: MIDNIGHT + 2 * DAY, bucketSeconds }
          for (const [where, count] of [
            [{}, 3_001],
            [{ model: ['m1'] }, 1_500],
            [{ project: ['proj_3'] }, 429],
          ] as const) {
            const told: string[] = []
            let [pages, begin] = [0, undefined as UsageQuery['begin']]
            do {
              const { sums, next } = await ledger.usage({ ...range, where, groupBy: ['key'], begin })
              told.push(...sums.map(({ bucket, group }) => `${bucket} ${group.key}`))
              expect(sums.length).toBeLessThanOrEqual(2_000)
              begin = next
              pages += 1
            } while (begin !== undefined)
            expect([told.length, new Set(told).size]).toEqual([count, count])
            if (count > 2_000) expect(pages).toBeGreaterThan(1)
          }
          const whole = await ledger.usage({ ...range, where: {}, groupBy: ['model'] })
          expect([whole.next, whole.sums.length]).toEqual([undefined, 3])
        }
      })

      test('a question about very many keys has fewer buckets on a page', async () => {
        const ledger = await open()
        await ledger.book([makeBooking(), makeBooking({ at: (NOON + 21 * 60) * 1000 })])
        const key = ['key_a', ...Array.from({ length: 999 }, (_, n) => `key_nobody_${n}`)]
        const query = { from: NOON, to: NOON + 3_600, bucketSeconds: 60, where: { key }, groupBy: [] } as const
        const { sums, next } = await ledger.usage(query)
        expect([sums.map(({ bucket }) => bucket), next]).toEqual([[NOON], { bucket: NOON + 1_200, project: 0, key: 0 }])
        const rest = await ledger.usage({ ...query, begin: next })
        expect(rest.sums.map(({ bucket }) => bucket)).toEqual([NOON + 1_260])
      })

      test('gives its rows again as they came, the oldest first, page by page', async () => {
        const ledger = await open()
        const usage = { ...NO_USAGE, inputText: 7, seconds: 1.5 }
        const rows = [
          makeBooking({ usage, isBatch: true, cache: 'hit' }),
          makeBooking(),
          makeBooking({ at: NOON * 1000 + 1 }),
        ]
        await ledger.book(rows.toReversed())
        expect(await ledger.bookings(undefined, 2)).toEqual(rows.slice(0, 2))
        expect(await ledger.bookings(rows[1], 2)).toEqual(rows.slice(2))
        expect(await ledger.bookings(rows[2], 2)).toEqual([])
      })

      test('taken from an export it is the ledger that it was, and twice as once', async () => {
        const from = await open()
        const secret = key('key_1', { former: [{ digest: 'ab'.repeat(32), until: NOON }] })
        await from.edit({
          put: [project('proj_a', { archivedAt: NOON }), secret],
          remove: [],
          audit: [event('audit_1'), event('audit_2')],
        })
        await from.book(Array.from({ length: 1_100 }, (_, at) => makeBooking({ at: NOON * 1000 + at })))
        const to = await openLedger('memory')
        opened = [...opened, to]
        for (let times = 0; times < 2; times += 1) {
          const taken = await importLedger(to, linesOf(exportLedger(from)))
          expect(taken).toEqual({ records: 2, audit: 2, bookings: 1_100 })
        }
        const exported = await Array.fromAsync(exportLedger(from))
        expect(await Array.fromAsync(exportLedger(to))).toEqual(exported)
        const back = await open()
        await importLedger(back, linesOf(exportLedger(to)))
        expect(await Array.fromAsync(exportLedger(back))).toEqual(exported)
        expect(await ask(to, { groupBy: ['key'] })).toEqual([[MIDNIGHT - NOON, 'key_a', 1_100, 1_100_000]])
      })

      describe('tells what was spent:', () => {
        test('from one quarter of an hour up to another, over days, by key, project and in all', async () => {
          const ledger = await open()
          const quarters = [0, 900, 3_600, DAY, DAY + 900, 3 * DAY, 3 * DAY + 900]
          await ledger.book(quarters.map((after, n) => makeBooking({ at: (MIDNIGHT + after) * 1000, cost: 10 ** n })))
          await ledger.book([makeBooking({ at: MIDNIGHT * 1000, cost: 5, keyId: 'key_b', projectId: 'proj_b' })])
          const spent = (scope: { projectId?: string; keyId?: string }, from: number, to: number) =>
            ledger.spent(scope, MIDNIGHT + from, MIDNIGHT + to)
          expect(await spent({ keyId: 'key_a' }, 0, 4 * DAY)).toBe(1_111_111n)
          expect(await spent({ keyId: 'key_a' }, 900, 3 * DAY + 900)).toBe(111_110n)
          expect(await spent({ keyId: 'key_a' }, 900, 3_600)).toBe(10n)
          expect(await spent({ keyId: 'key_a' }, 3_600, DAY + 900)).toBe(1_100n)
          expect(await spent({ keyId: 'key_a' }, 900, 900)).toBe(0n)
          expect(await spent({ projectId: 'proj_b' }, 0, DAY)).toBe(5n)
          expect(await spent({ projectId: 'proj_a' }, 900, 3 * DAY + 900)).toBe(111_110n)
          expect(await spent({}, 0, 4 * DAY)).toBe(1_111_116n)
          expect(await ledger.spent({ keyId: 'key_a' }, 0, Number.POSITIVE_INFINITY)).toBe(1_111_111n)
          expect(await spent({ keyId: 'key_nobody' }, 0, DAY)).toBe(0n)
        })

        test('notes when keys were last used, whatever the order of their rows', async () => {
          const ledger = await open()
          await ledger.book([makeBooking({ at: NOON * 1000 + 5_000 }), makeBooking()])
          await ledger.book([makeBooking({ at: NOON * 1000 + 1_000 }), makeBooking({ keyId: 'key_b' })])
          expect([...(await ledger.lastUsed(['key_a', 'key_b', 'key_c']))].toSorted()).toEqual([
            ['key_a', NOON + 5],
            ['key_b', NOON],
          ])
          expect((await ledger.lastUsed([])).size).toBe(0)
        })

        test('what is forgotten are rows and minutes; the other sums stay', async () => {
          const ledger = await open()
          await ledger.book([makeBooking({ at: (NOON - 60) * 1000 }), makeBooking()])
          await ledger.forget(NOON)
          expect(await ask(ledger, { bucketSeconds: 60 })).toEqual([[0, 1, 1_000]])
          expect(await ask(ledger, { bucketSeconds: 60, where: { key: ['key_a'] } })).toEqual([[0, 1, 1_000]])
          expect(await ask(ledger)).toEqual([[MIDNIGHT - NOON, 2, 2_000]])
          expect(await ledger.spent({ keyId: 'key_a' }, MIDNIGHT, NOON + 900)).toBe(2_000n)
        })
      })

      testShared('processes that write at once lose nothing and count nothing twice', async () => {
        const ledgers = await openMany(3)
        const shared = Array.from({ length: 50 }, () => makeBooking())
        const write = async (ledger: Ledger, number: number): Promise<void> => {
          for (let batch = 0; batch < 10; batch += 1) {
            await ledger.book([...shared, ...Array.from({ length: 20 }, () => makeBooking({ keyId: `key_${number}` }))])
            await put(ledger, key(`key_${number}_${batch}`))
          }
        }
        await Promise.all(ledgers.map(write))
        expect(await ask(ledgers[0], { groupBy: ['key'] })).toEqual([
          [MIDNIGHT - NOON, 'key_0', 200, 200_000],
          [MIDNIGHT - NOON, 'key_1', 200, 200_000],
          [MIDNIGHT - NOON, 'key_2', 200, 200_000],
          [MIDNIGHT - NOON, 'key_a', 50, 50_000],
        ])
        expect((await directoryOf(ledgers[0])).rows).toHaveLength(30)
      })

      test('a row that can never be written is refused with another error, and none of its batch is written', async () => {
        const ledger = await open()
        const rows = [makeBooking(), makeBooking({ cost: Number.NaN })]
        const thrown = await ledger.book(rows).catch((cause: unknown) => cause)
        expect(thrown).toBeInstanceOf(Error)
        expect((thrown as Error).constructor.name).not.toBe('LedgerError')
        expect(await ask(ledger)).toEqual([])
      })
    },
  )
}
