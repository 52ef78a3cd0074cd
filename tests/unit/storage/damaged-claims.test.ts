import { Database } from 'bun:sqlite'
import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Claim, Claims, ClaimTimes } from '../../../src/storage/claims.ts'
import { openStore } from '../../../src/storage/open-store.ts'
import { makeFolder, SILENT, WIDE } from './stores-under-test.ts'

setDefaultTimeout(120_000)

const folder = makeFolder()
afterAll(() => folder.remove())

const TIMES: ClaimTimes = { leaseMs: 30_000, windowMs: 600_000 }
const ANSWER = new Uint8Array(3_000).fill(9)
const SEED = process.env['DAMAGE_SEED'] ?? '1'
let files = 0

function freshPath(): string {
  files += 1
  return join(folder.path, `${files}.db`)
}

function open(path: string) {
  const store = openStore(`sqlite:${path}`, { ...WIDE, now: Date.now, log: SILENT })
  if (store.claims === undefined) throw new Error('This store has no claims.')
  return { claims: store.claims, store, close: () => store.close() }
}

function claimOf(name: string): Claim {
  const id = new Bun.CryptoHasher('sha256').update(name).digest('hex')
  return { id, token: crypto.randomUUID(), fingerprint: 'ab'.repeat(32), scope: 'someone' }
}

/** Claims in a file that has been closed: some under way, some with an answer, some without. */
async function fill(path: string, count: number): Promise<readonly Claim[]> {
  const { claims, close } = open(path)
  const made = Array.from({ length: count }, (_one, n) => claimOf(`${path} ${n}`))
  for (const [n, claim] of made.entries()) {
    await claims.take(claim, TIMES)
    if (n % 3 === 0) await claims.end(claim, { kind: 'answered', answer: ANSWER }, TIMES)
    if (n % 3 === 1) await claims.end(claim, { kind: 'unkept' }, TIMES)
  }
  await close()
  return made
}

/** What another request under the same key comes to: `refused`: nobody knows, a 503. */
async function takeAgain(claims: Claims, claim: Claim): Promise<string> {
  try {
    return (await claims.take({ ...claim, token: crypto.randomUUID() }, TIMES)).kind
  } catch {
    return 'refused'
  }
}

function garbage(name: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 64) {
    const piece = new Bun.CryptoHasher('sha512').update(`${SEED} ${name} ${at}`).digest()
    bytes.set(piece.subarray(0, Math.min(piece.length, length - at)), at)
  }
  return bytes
}

type Damage = (bytes: Buffer, round: number) => void

const DAMAGES: readonly (readonly [string, Damage])[] = [
  [
    'some bytes of each page',
    (bytes, round) => {
      for (let page = round % 5; page * 4096 < bytes.length; page += 1 + (round % 7)) {
        const [from, length] = [page * 4096 + ((round * 211) % 3_900), 1 + ((round * 37) % 190)]
        bytes.set(garbage(`${round} ${page}`, Math.min(length, bytes.length - from)), from)
      }
    },
  ],
  [
    'one page',
    (bytes, round) => {
      const pages = bytes.length / 4096
      bytes.set(garbage(`page ${round}`, 4096), Math.floor((round * 7919) % pages) * 4096)
    },
  ],
  [
    'a page of zeros',
    (bytes, round) => void bytes.fill(0, ((round * 104_729) % (bytes.length / 4096)) * 4096).subarray(0),
  ],
  [
    'single bits',
    (bytes, round) => {
      for (let bit = 0; bit < 40; bit += 1) {
        const at = Number(Bun.hash.wyhash(`${SEED} ${round} ${bit}`) % BigInt(bytes.length))
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8))
      }
    },
  ],
]

test.each(DAMAGES)('damage to %s never makes a used key a free one', async (_what, damage) => {
  const told = new Map<string, number>()
  for (let round = 0; round < 24; round += 1) {
    const path = freshPath()
    const made = await fill(path, 60)
    const bytes = readFileSync(path)
    damage(bytes, round)
    writeFileSync(path, bytes)
    const { claims, close } = open(path)
    for (const claim of made) {
      const kind = await takeAgain(claims, claim)
      told.set(kind, (told.get(kind) ?? 0) + 1)
    }
    await close()
  }
  expect(told.get('taken') ?? 0).toBe(0)
})

test('a file of which the end, or all, is gone makes no used key a free one', async () => {
  for (const share of [0.9, 0.5, 0.2, 0.01]) {
    const path = freshPath()
    const made = await fill(path, 60)
    truncateSync(path, Math.ceil(readFileSync(path).length * share))
    const { claims, close } = open(path)
    for (const claim of made) expect(await takeAgain(claims, claim)).not.toBe('taken')
    await close()
  }
})

test('damage elsewhere in the file costs no claim: they are carried over into the new one, as they were', async () => {
  const path = freshPath()
  const made = await fill(path, 60)
  const before = open(path)
  await before.store.set('a', new Uint8Array(100), { ttlMs: 60_000, scope: 's' })
  const { root } = new Database(path, { readonly: true })
    .query<{ root: number }, []>("SELECT rootpage AS root FROM sqlite_schema WHERE name = 'entries'")
    .get() ?? { root: 0 }
  await before.close()
  const bytes = readFileSync(path)
  bytes.fill(0xff, (root - 1) * 4096, root * 4096)
  writeFileSync(path, bytes)
  const { claims, store, close } = open(path)
  await store.get('a')
  await store.set('b', new Uint8Array(100), { ttlMs: 60_000, scope: 's' })
  const kinds = new Set<string>()
  for (const [n, claim] of made.entries()) {
    const kind = await takeAgain(claims, claim)
    expect(kind).toBe(['answered', 'unkept', 'running'][n % 3] ?? '')
    kinds.add(kind)
  }
  // And a new key is one as ever, as soon as others have had their time.
  const fresh = claimOf('fresh')
  for (let kind = 'refused'; kind !== 'taken'; kind = await takeAgain(claims, fresh)) await Bun.sleep(50)
  await close()
})

test('a claim that is damaged while the file is open is one of which nobody knows', async () => {
  const path = freshPath()
  const made = await fill(path, 3)
  const { claims, close } = open(path)
  const raw = new Database(path)
  const [row, tree] = made
  raw.run("UPDATE once SET fingerprint = 'cd' WHERE id = ?", [row?.id ?? ''])
  raw.run('UPDATE once SET number = 17 WHERE id = ?', [tree?.id ?? ''])
  raw.close()
  for (const claim of [row, tree]) {
    if (claim === undefined) throw new Error('There are no claims.')
    expect(await claims.take({ ...claim, token: 'x' }, TIMES)).toEqual({ kind: 'lost', fingerprint: claim.fingerprint })
  }
  await close()
})

test('a file that is taken away under a process is begun anew, with what that process knows', async () => {
  const path = freshPath()
  const [one, other] = [open(path), open(path)]
  const [held, ended] = [claimOf('held'), claimOf('ended')]
  for (const claim of [held, ended]) await one.claims.take(claim, TIMES)
  await one.claims.end(ended, { kind: 'answered', answer: ANSWER }, TIMES)
  // Both have seen a claim: each looks twice a second whether it is still the same file.
  await other.claims.take(claimOf('of the other'), TIMES)
  for (const suffix of ['', '-wal', '-shm']) renameSync(path + suffix, `${path}.away${suffix}`)
  const seen = async (claim: Claim): Promise<string> => (await other.claims.look(claim.id)).kind
  while ((await seen(ended)) !== 'unkept') await Bun.sleep(50)
  expect(await takeAgain(other.claims, held)).toBe('running')
  expect(await takeAgain(other.claims, ended)).toBe('unkept')
  await one.close()
  await other.close()
})
