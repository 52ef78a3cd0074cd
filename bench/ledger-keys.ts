/**
 * Measures a ledger with many keys: how long its directory takes to be filled, what memory it holds, and what the look-up of a caller costs
 * beside that of a token.
 *
 *     bun bench/ledger-keys.ts [1000000]
 *
 * The ledger is made once, in a folder of its own. A second process reads it, as a start does.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdmitKey } from '../src/access/admit-key.ts'
import { createAuthorize } from '../src/access/authorize.ts'
import { Secret } from '../src/config/secret.ts'
import { KeyDirectory } from '../src/ledger/directory/key-directory.ts'
import { makeFirstRecords } from '../src/ledger/first-records.ts'
import { KEY_PREFIX, makeKey } from '../src/ledger/key-format.ts'
import { openLedger } from '../src/ledger/open-ledger.ts'
import type { KeyRecord } from '../src/ledger/records.ts'
import { sha256 } from '../src/process/sha256.ts'

const PART = 10_000
const LOOKS = 200_000

/** The n-th key: the same in both processes. */
function keyOf(number: number): string {
  return makeKey(KEY_PREFIX, (bytes) => {
    bytes.set(sha256(`key ${number}`))
    return bytes
  })
}

function recordOf(number: number): KeyRecord {
  const key = keyOf(number)
  return {
    kind: 'key',
    id: `key_${number.toString().padStart(24, '0')}`,
    projectId: 'proj_default',
    ownerId: `svc_acct_${number}`,
    name: `key ${number}`,
    digest: sha256(key).toHex(),
    redacted: `sk-nex-...${key.slice(-4)}`,
    createdAt: 1_790_000_000 + number,
    limits: number % 4 === 0 ? { spend: { month: 50_000_000_000n }, rates: [] } : { spend: {}, rates: [] },
    metadata: {},
    managedBy: 'api',
  }
}

async function fill(path: string, count: number): Promise<void> {
  const ledger = await openLedger(`sqlite:${path}`)
  await makeFirstRecords(ledger, 1)
  for (let from = 0; from < count; from += PART) {
    const put = Array.from({ length: Math.min(PART, count - from) }, (_one, index) => recordOf(from + index))
    await ledger.edit({ put, remove: [], audit: [] })
  }
  await ledger.close()
}

const mib = (bytes: number): number => Math.round(bytes / 2 ** 20)

/** The microseconds of one run of `work`, by the median of five rounds. */
function costOf(work: (index: number) => unknown): number {
  const rounds = Array.from({ length: 5 }, () => {
    const begun = performance.now()
    for (let index = 0; index < LOOKS; index += 1) work(index)
    return ((performance.now() - begun) / LOOKS) * 1000
  })
  return Number((rounds.toSorted((a, b) => a - b)[2] ?? 0).toFixed(2))
}

async function read(path: string, count: number): Promise<void> {
  Bun.gc(true)
  const before = process.memoryUsage.rss()
  const begun = performance.now()
  const ledger = await openLedger(`sqlite:${path}`)
  const directory = new KeyDirectory({ ledger, sha256, now: () => performance.now() })
  await directory.follow()
  const startMs = Math.round(performance.now() - begun)
  Bun.gc(true)
  const held = process.memoryUsage.rss() - before
  const idle = performance.now()
  for (let look = 0; look < 1000; look += 1) await directory.follow()
  const idleUs = Math.round(performance.now() - idle)
  const some = Array.from({ length: 1000 }, (_one, index) => keyOf((index * 7919) % count))
  const requestOf = (credential: string) => ({
    received: new Headers({ host: 'localhost', authorization: `Bearer ${credential}` }),
    isHttp10: false,
    requestTarget: '/v1/models',
  })
  const base = { required: true, lendsToLocal: false, corsOrigins: [], sha256 }
  const token = new Secret('a-token-of-somebody-0123456789')
  const requests = some.map(requestOf)
  const ofToken = requestOf(token.reveal())
  const plain = createAuthorize({ ...base, tokens: [{ name: 'one', token }] })
  const withKeys = createAuthorize({ ...base, tokens: [{ name: 'one', token }], keys: directory })
  const admit = createAdmitKey(directory, Date.now)
  const figures = {
    keys: directory.size,
    start_ms: startMs,
    held_mib: mib(held),
    idle_look_us: idleUs,
    known_key_us: costOf((index) => admit(some[index % 1000] ?? '')),
    first_look_us: costOf((index) => directory.find(some[index % 1000] ?? '')),
    authorize_key_us: costOf((index) => withKeys(requests[index % 1000] ?? ofToken)),
    authorize_token_us: costOf(() => plain(ofToken)),
    authorize_token_with_ledger_us: costOf(() => withKeys(ofToken)),
  }
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`)
  await ledger.close()
}

const [first = '1000000', path, what] = process.argv.slice(2)
const count = Number(first)
if (what === 'read' && path !== undefined) await read(path, count)
else {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-bench-keys-'))
  const file = join(folder, 'ledger.sqlite')
  await fill(file, count)
  await Bun.spawn([process.execPath, import.meta.path, String(count), file, 'read'], {
    stdout: 'inherit',
    stderr: 'inherit',
  }).exited
  rmSync(folder, { recursive: true })
}
