import { afterEach, beforeEach, expect, test } from 'bun:test'
import { Secret } from '../../../src/config/secret.ts'
import type { DeclaredRecords, ProjectSettings } from '../../../src/config/sections/projects.ts'
import { declaredRecords } from '../../../src/ledger/declared-records.ts'
import { DEFAULT_PROJECT_ID, makeFirstRecords } from '../../../src/ledger/first-records.ts'
import type { Ledger } from '../../../src/ledger/ledger.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { type TakenDeclaration, takeDeclared } from '../../../src/ledger/take-declared.ts'
import { addKey, digestOfKey } from '../../helpers/ledger-keys.ts'

const sha256 = (text: string): Uint8Array => new Bun.CryptoHasher('sha256').update(text).digest()
const NO_USE = { spend: {}, rates: [] }
const NOTHING: TakenDeclaration = { put: [], removed: [] }

let ledger: Ledger
beforeEach(async () => {
  ledger = await openLedger('memory')
  await makeFirstRecords(ledger, 1)
})
afterEach(() => ledger.close())

function project(name: string, keys: readonly string[], more: Partial<ProjectSettings> = {}): ProjectSettings {
  return {
    name,
    timeZone: 'Europe/Berlin',
    environment: undefined,
    limits: { spend: { day: 5_000_000_000 }, rates: [{ model: 'gpt-*', requestsPerMinute: 6 }] },
    keys: keys.map((key) => ({
      name: key,
      secret: new Secret(`sk-of-${key}-0123456789`),
      digest: undefined,
      expiresAt: undefined,
      limits: NO_USE,
      metadata: {},
    })),
    ...more,
  }
}

async function take(declared: Partial<DeclaredRecords>, now: number): Promise<TakenDeclaration> {
  const whole = { projects: [], adminKeys: [], ...declared }
  return takeDeclared(ledger, declaredRecords(whole, sha256, now), now)
}

test('what is declared is in the ledger, with ids made of its names, money in nano-dollars, and only digests', async () => {
  await take({ projects: [project('team-a', ['alice'])] }, 7)
  expect(await ledger.find('project', 'proj_team-a')).toMatchObject({
    name: 'team-a',
    timeZone: 'Europe/Berlin',
    createdAt: 7,
    managedBy: 'file',
    limits: { spend: { day: 5_000_000_000n }, rates: [{ model: 'gpt-*', requestsPerMinute: 6 }] },
  })
  const key = await ledger.find('key', 'key_team-a.alice')
  expect(key).toMatchObject({
    projectId: 'proj_team-a',
    digest: digestOfKey('sk-of-alice-0123456789'),
    redacted: '...6789',
  })
  expect(await ledger.find('service_account', key?.ownerId ?? '')).toMatchObject({ name: 'alice' })
})

test('the same again changes nothing; a change keeps the time of creation', async () => {
  const declared = { projects: [project('team-a', ['alice'])], adminKeys: project('x', ['ops']).keys }
  await take(declared, 7)
  expect(await take(declared, 8)).toEqual(NOTHING)
  expect(await take({ ...declared, projects: [project('team-a', ['alice'], { environment: 'test' })] }, 9)).toEqual({
    put: ['proj_team-a'],
    removed: [],
  })
  expect(await ledger.find('project', 'proj_team-a')).toMatchObject({ createdAt: 7, environment: 'test' })
})

test('a key that is taken out is revoked, a project archived; it comes back with its name, and the API’s own stay', async () => {
  await take({ projects: [project('team-a', ['alice', 'bob'])] }, 7)
  await addKey(ledger, 'key_of_api', { projectId: 'proj_team-a' })
  expect((await take({ projects: [project('team-a', ['alice'])] }, 8)).removed.toSorted()).toEqual([
    'key_team-a.bob',
    'svc_acct_team-a.bob',
  ])
  await take({}, 9)
  expect(await ledger.find('project', 'proj_team-a')).toMatchObject({ archivedAt: 9 })
  expect(await ledger.find('key', 'key_team-a.alice')).toBeUndefined()
  expect(await take({}, 10)).toEqual(NOTHING)
  await take({ projects: [project('team-a', [])] }, 11)
  const back = await ledger.find('project', 'proj_team-a')
  expect([back?.archivedAt, back?.createdAt]).toEqual([undefined, 7])
  expect(await ledger.find('key', 'key_of_api')).toMatchObject({ managedBy: 'api' })
})

test('the default project may be declared, and is the API’s again without limits when it is taken out', async () => {
  await take({ projects: [project('default', [])] }, 7)
  expect(await ledger.find('project', DEFAULT_PROJECT_ID)).toMatchObject({ managedBy: 'file', createdAt: 1 })
  await take({}, 8)
  const after = await ledger.find('project', DEFAULT_PROJECT_ID)
  expect(after).toMatchObject({ managedBy: 'api', limits: { spend: {}, rates: [] } })
  expect(after?.archivedAt).toBeUndefined()
})

test('two processes that take the same file at the same time end alike', async () => {
  const declared = { projects: [project('team-a', ['alice'])] }
  await take({ projects: [project('team-a', ['bob'])] }, 6)
  await Promise.all([take(declared, 7), take(declared, 7)])
  expect(await take(declared, 8)).toEqual(NOTHING)
})

test('the audit log says what the file has changed, once also where processes take it at once', async () => {
  const told = async (): Promise<string[]> =>
    (await ledger.audit({ limit: 100 })).data.map(
      ({ type, actorKeyId, resourceId }) => `${actorKeyId} ${type} ${resourceId}`,
    )
  const first = { projects: [project('team-a', ['alice'])] }
  await Promise.all([take(first, 7), take(first, 7), take(first, 7)])
  const created = [
    'project.created proj_team-a',
    'service_account.created svc_acct_team-a.alice',
    'api_key.created key_team-a.alice',
  ]
  expect((await told()).toSorted()).toEqual(created.map((one) => `file ${one}`).toSorted())
  await take(first, 8)
  expect(await told()).toHaveLength(3)
  await take({ projects: [project('team-a', ['bob'], { timeZone: 'UTC' })] }, 9)
  expect((await told()).slice(0, -3).toSorted()).toEqual([
    'file api_key.created key_team-a.bob',
    'file api_key.deleted key_team-a.alice',
    'file project.updated proj_team-a',
    'file service_account.created svc_acct_team-a.bob',
    'file service_account.deleted svc_acct_team-a.alice',
  ])
  await take({}, 10)
  expect(await told()).toContain('file project.archived proj_team-a')
})
