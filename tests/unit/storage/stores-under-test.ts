import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../../src/storage/open-store.ts'
import type { Store, StoreBounds } from '../../../src/storage/store.ts'
import { REDIS_MISSING, startRedis } from '../../helpers/redis.ts'

/** One kind of store, as the contract suite needs it. */
export interface StoreUnderTest {
  readonly name: Store['name']
  /** Why it can't be tested here. */
  readonly missing: string | undefined
  /** Makes an empty store; later ones take the place of earlier ones. */
  readonly open: (bounds?: Partial<StoreBounds>) => Promise<Store>
  /** Lets time pass for what it keeps. */
  readonly pass: (ms: number) => Promise<void>
  /** Whether it keeps to bounds by itself, rather than its server. */
  readonly isBounded: boolean
  readonly end: () => Promise<void>
}

/** Bounds that a test does not come near. */
export const WIDE: StoreBounds = { bytesMax: 256 * 1024 * 1024, entriesMax: 1_000_000 }

/** A log that nobody reads. */
export const SILENT = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }

/** A folder of a test's own. */
export function makeFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'nexcode-store-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** All kinds of store; what each needs is started when it is first opened. */
export function storesUnderTest(): readonly StoreUnderTest[] {
  return [inMemory(), inFile(), inRedis()]
}

function inMemory(): StoreUnderTest {
  const clock = fakeClock()
  return {
    name: 'memory',
    missing: undefined,
    open: async (bounds) => openStore('memory', { ...WIDE, ...bounds, now: clock.now, log: SILENT }),
    pass: clock.pass,
    isBounded: true,
    end: async () => undefined,
  }
}

function inFile(): StoreUnderTest {
  const clock = fakeClock()
  const folder = makeFolder()
  let files = 0
  return {
    name: 'sqlite',
    missing: undefined,
    async open(bounds) {
      files += 1
      const spec = `sqlite:${join(folder.path, `${files}.db`)}`
      return openStore(spec, { ...WIDE, ...bounds, now: clock.now, log: SILENT })
    },
    pass: clock.pass,
    isBounded: true,
    end: async () => folder.remove(),
  }
}

function inRedis(): StoreUnderTest {
  let server: ReturnType<typeof startRedis> | undefined
  return {
    name: 'redis',
    missing: REDIS_MISSING,
    async open(bounds) {
      server ??= startRedis()
      const { url } = await server
      const store = openStore(url, { ...WIDE, ...bounds, now: Date.now, log: SILENT })
      await store.purge()
      return store
    },
    // It has a clock of its own.
    pass: (ms) => Bun.sleep(ms + 5),
    isBounded: false,
    end: async () => (await server)?.kill(),
  }
}

function fakeClock(): { readonly now: () => number; readonly pass: (ms: number) => Promise<void> } {
  let at = 1_800_000_000_000
  return {
    now: () => at,
    async pass(ms) {
      at += ms
    },
  }
}
