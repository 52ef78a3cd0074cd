import { beforeEach, describe, expect, test } from 'bun:test'
import { guardStore } from '../../../src/storage/guarded-store.ts'
import type { Store } from '../../../src/storage/store.ts'
import type { Deadlines } from '../../../src/timing/deadlines.ts'

const OPTIONS = { ttlMs: 1000, scope: 's' }
const VALUE = new Uint8Array([1, 2, 3])

let at = 0
let lines: { readonly level: string; readonly fields: Record<string, unknown>; readonly message: string }[] = []
/** The limits that run, to be let expire by hand. */
let running: Map<() => void, number> = new Map()

const deadlines: Deadlines = {
  start(limitMs, onExpire) {
    running.set(onExpire, limitMs)
    return { touch() {}, suspend() {}, clear: () => void running.delete(onExpire) }
  },
}
const noteAs =
  (level: string) =>
  (fields: object, message?: string): void => {
    lines.push({ level, fields: { ...fields }, message: message ?? '' })
  }

beforeEach(() => {
  at = 0
  lines = []
  running = new Map()
})

/** A store that does what a test says. */
function guard(parts: Partial<Store>): Store {
  const unused = (): never => {
    throw new Error('not of this test')
  }
  const store = {
    name: 'redis',
    get: unused,
    set: unused,
    delete: unused,
    purge: unused,
    stats: unused,
    close: unused,
  } as const
  const log = { info: noteAs('info'), warn: noteAs('warn') }
  return guardStore({ ...store, ...parts }, { waitMs: 50, deadlines, log, now: () => at })
}

/** Lets a number of milliseconds pass for the limits that run. */
async function pass(ms: number): Promise<void> {
  at += ms
  for (const [onExpire, limitMs] of [...running]) {
    if (limitMs > ms) continue
    running.delete(onExpire)
    onExpire()
  }
  await new Promise((resolve) => setImmediate(resolve))
}

describe('a store that is well', () => {
  test('is used as it is; what needs no waiting is not made to wait', () => {
    const store = guard({ name: 'memory', get: () => VALUE, set: () => undefined, delete: () => true })
    expect(store.name).toBe('memory')
    expect(store.get('a')).toBe(VALUE)
    expect(store.set('a', VALUE, OPTIONS)).toBeUndefined()
    expect(store.delete('a')).toBe(true)
    expect(running.size).toBe(0)
  })

  test('is waited for, and its limits end with its answers', async () => {
    const store = guard({
      get: async () => VALUE,
      delete: async () => true,
      purge: async () => 3,
      stats: async () => ({ entries: 1, bytes: 2 }),
      close: async () => undefined,
    })
    expect(await store.get('a')).toBe(VALUE)
    expect(await store.delete('a')).toBe(true)
    expect(await store.purge('s')).toBe(3)
    expect(await store.stats()).toEqual({ entries: 1, bytes: 2 })
    await store.close()
    expect(running.size).toBe(0)
    expect(lines).toEqual([])
  })

  test('is told by the caller what to do, to the letter', async () => {
    const calls: unknown[] = []
    const store = guard({
      get: (key) => void calls.push(['get', key]),
      set: (...given) => void calls.push(['set', ...given]),
      delete: (key) => calls.push(['delete', key]) > 0,
      purge: (scope) => calls.push(['purge', scope]),
    })
    void store.get('a')
    void store.set('b', VALUE, OPTIONS)
    void store.delete('c')
    await store.purge('d')
    expect(calls).toEqual([
      ['get', 'a'],
      ['set', 'b', VALUE, OPTIONS],
      ['delete', 'c'],
      ['purge', 'd'],
    ])
  })
})

describe('a store in trouble', () => {
  const failures: readonly [string, () => never | Promise<never>][] = [
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
  ]

  test.each(failures)('that %s is nothing that the caller notices', async (_, fail) => {
    expect(await guard({ get: fail }).get('a')).toBeUndefined()
    expect(await guard({ delete: fail }).delete('a')).toBe(false)
    expect(await guard({ set: fail }).set('a', VALUE, OPTIONS)).toBeUndefined()
    expect(await guard({ purge: fail }).purge()).toBe(0)
    expect(await guard({ stats: fail }).stats()).toEqual({ entries: 0, bytes: 0 })
    expect(await guard({ close: fail }).close()).toBeUndefined()
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'warn', 'warn', 'warn', 'warn', 'warn'])
  })

  test('that gives no answer is given up after 50 ms', async () => {
    const store = guard({ get: () => new Promise(() => undefined) })
    const got = Promise.resolve(store.get('a')).then(() => 'nothing')
    await pass(49)
    expect(lines).toEqual([])
    await pass(50)
    expect(await got).toBe('nothing')
    expect(lines.map(({ message }) => message)).toEqual(['the store is in trouble: requests go on without it'])
    expect(lines[0]?.fields).toMatchObject({ store: 'redis', err: new Error('The store took 50 ms.') })
  })

  test('is not blamed where it was this process that had no time to read its answer', async () => {
    const answer = Promise.withResolvers<Uint8Array<ArrayBuffer>>()
    const store = guard({ get: () => answer.promise })
    const got = store.get('a')
    // The answer is there, behind the limit in the queue.
    for (const onExpire of running.keys()) onExpire()
    answer.resolve(VALUE)
    expect(await got).toBe(VALUE)
    expect(lines).toEqual([])
  })

  test('that holds the process up gives its answer, and is left alone from then on', () => {
    let calls = 0
    const store = guard({
      name: 'sqlite',
      get() {
        calls += 1
        at += 51
        return VALUE
      },
    })
    expect(store.get('a')).toBe(VALUE)
    expect(store.get('a')).toBeUndefined()
    expect(calls).toBe(1)
    expect(lines).toHaveLength(1)
  })

  test('is not asked for a second; then one call tries, and the log says once that it was away and once that it is back', async () => {
    let calls = 0
    let isDown = true
    const store = guard({
      async get() {
        calls += 1
        if (isDown) throw new Error('down')
        return VALUE
      },
      async set() {
        calls += 1
      },
      async delete() {
        calls += 1
        return true
      },
    })
    await store.get('a')
    for (let times = 0; times < 20; times += 1) {
      expect(store.get('a')).toBeUndefined()
      expect(store.delete('a')).toBe(false)
      void store.set('a', VALUE, OPTIONS)
    }
    expect(calls).toBe(1)
    await pass(1000)
    await store.get('a')
    expect(calls).toBe(2)
    isDown = false
    await pass(2000)
    const trial = store.get('a')
    expect(store.get('a')).toBeUndefined()
    expect(await trial).toBe(VALUE)
    expect(await store.get('a')).toBe(VALUE)
    expect(lines).toMatchObject([
      { level: 'warn', message: 'the store is in trouble: requests go on without it' },
      { level: 'info', message: 'the store is back', fields: { store: 'redis', awayMs: 3000 } },
    ])
  })

  test('is purged, counted and closed all the same, since somebody asked for just that', async () => {
    const store = guard({
      get: () => Promise.reject(new Error('down')),
      purge: () => 7,
      stats: () => ({ entries: 1, bytes: 9 }),
    })
    await store.get('a')
    expect(await store.purge()).toBe(7)
    expect(await store.stats()).toEqual({ entries: 1, bytes: 9 })
  })
})

describe('a write', () => {
  test('is waited for until it is done, so that whoever comes next finds it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const events: string[] = []
    const store = guard({ set: () => promise })
    const setting = Promise.resolve(store.set('a', VALUE, OPTIONS)).then(() => events.push('set'))
    await pass(49)
    expect(events).toEqual([])
    resolve()
    await setting
    expect(events).toEqual(['set'])
    expect(running.size).toBe(0)
  })

  test('is waited for no longer than a look-up, and a slow one hurts nobody before ten seconds', async () => {
    const store = guard({ set: () => new Promise(() => undefined), get: () => VALUE })
    const setting = store.set('a', VALUE, OPTIONS)
    await pass(50)
    expect(await setting).toBeUndefined()
    await pass(9_999)
    expect(store.get('a')).toBe(VALUE)
    await pass(10_000)
    expect(store.get('a')).toBeUndefined()
    expect(lines).toHaveLength(1)
  })

  test('is dropped while 4,096 are under way, until one of them ends', async () => {
    const waiting: (() => void)[] = []
    const store = guard({ set: () => new Promise((resolve) => void waiting.push(resolve)) })
    for (let times = 0; times < 5000; times += 1) void store.set('a', VALUE, OPTIONS)
    expect(waiting).toHaveLength(4096)
    waiting[0]?.()
    await pass(0)
    for (let times = 0; times < 5000; times += 1) void store.set('a', VALUE, OPTIONS)
    expect(waiting).toHaveLength(4097)
  })

  test('is dropped while 64 MiB are under way, but for one alone', async () => {
    const waiting: (() => void)[] = []
    const store = guard({ set: () => new Promise((resolve) => void waiting.push(resolve)) })
    void store.set('a', new Uint8Array(65 * 1024 * 1024), OPTIONS)
    void store.set('a', VALUE, OPTIONS)
    expect(waiting).toHaveLength(1)
    waiting[0]?.()
    await pass(0)
    void store.set('a', VALUE, OPTIONS)
    expect(waiting).toHaveLength(2)
  })

  test('that fails gives its place back', async () => {
    let calls = 0
    const store = guard({
      set() {
        calls += 1
        return Promise.reject(new Error('full'))
      },
    })
    for (let times = 1; times <= 80; times += 1) {
      void store.set('a', VALUE, OPTIONS)
      await pass(0)
      at += 30_000
      expect(calls).toBe(times)
    }
  })
})

describe('a store that takes nothing, as on a full disk', () => {
  const full = (): never => {
    throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
  }

  test('is read all the same, is written to by a try now and then, and is one warning with what to do', async () => {
    let sets = 0
    let isFull = true
    const store = guard({
      name: 'sqlite',
      get: () => VALUE,
      set() {
        sets += 1
        if (isFull) full()
      },
    })
    for (let times = 0; times < 20; times += 1) {
      void store.set('a', VALUE, OPTIONS)
      expect(store.get('a')).toBe(VALUE)
    }
    expect(sets).toBe(1)
    expect(lines).toMatchObject([
      { level: 'warn', fields: { store: 'sqlite', cause: 'the disk is full: make room on it' } },
    ])
    isFull = false
    at += 1000
    void store.set('a', VALUE, OPTIONS)
    void store.set('a', VALUE, OPTIONS)
    expect(sets).toBe(3)
    at += 30_000
    void store.set('a', VALUE, OPTIONS)
    expect(lines).toMatchObject([{ level: 'warn' }, { level: 'info', message: 'the store takes answers again' }])
  })

  test('that now and then takes one is one time of trouble', () => {
    let sets = 0
    const store = guard({
      name: 'sqlite',
      set() {
        sets += 1
        if (sets % 2 === 1) full()
      },
    })
    for (let seconds = 0; seconds < 600; seconds += 1) {
      void store.set('a', VALUE, OPTIONS)
      at += 1000
    }
    expect(sets).toBeGreaterThan(10)
    expect(lines).toHaveLength(1)
  })

  test('has its claims tried each time, whose failure is told of like that of any write', () => {
    const claims = { take: full, look: full, renew: full, end: full, release: full }
    const store = guard({ name: 'sqlite', claims })
    const claim = { id: 'i', token: 't', fingerprint: 'f', scope: 's' }
    for (let times = 0; times < 3; times += 1) {
      expect(() => store.claims?.take(claim, { leaseMs: 1, windowMs: 1 })).toThrow('disk is full')
    }
    expect(lines).toHaveLength(1)
  })

  test.each([
    ['OOM command not allowed when used memory > maxmemory', 'maxmemory'],
    ["READONLY You can't write against a read only replica.", 'replica'],
    ['MISCONF Redis is configured to save RDB snapshots, but is unable to persist on disk.', 'its own disk'],
  ])('may be a Redis, too: %s', async (says, means) => {
    const store = guard({ get: async () => VALUE, set: () => Promise.reject(new Error(says)) })
    await store.set('a', VALUE, OPTIONS)
    expect(await store.get('a')).toBe(VALUE)
    expect(lines).toMatchObject([{ fields: { cause: expect.stringContaining(means) } }])
  })
})
