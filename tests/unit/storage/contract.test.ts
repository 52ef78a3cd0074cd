import { afterAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { storesUnderTest, WIDE } from './stores-under-test.ts'

const LONG = { ttlMs: 3_600_000, scope: 'someone' }
const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes)

for (const { name, missing, open, pass, isBounded, end } of storesUnderTest()) {
  const because = missing === undefined ? '' : ` (${missing})`
  describe.skipIf(missing !== undefined)(`a store in ${name}${because}`, () => {
    afterAll(end)

    test('gives what was set, and nothing for another key', async () => {
      const store = await open()
      expect(store.name).toBe(name)
      await store.set('a', bytesOf('one'), LONG)
      expect(textOf(await store.get('a'))).toBe('one')
      expect(await store.get('b')).toBeUndefined()
      await store.close()
    })

    test('gives what was set last', async () => {
      const store = await open()
      await store.set('a', bytesOf('a long first value'), LONG)
      await store.set('a', bytesOf('two'), { ttlMs: 3_600_000, scope: 'another' })
      expect(textOf(await store.get('a'))).toBe('two')
      expect((await store.stats()).entries).toBe(1)
      expect(await store.purge('someone')).toBe(0)
      expect(await store.purge('another')).toBe(1)
      await store.close()
    })

    test('deletes, and says whether there was something', async () => {
      const store = await open()
      await store.set('a', bytesOf('one'), LONG)
      expect(await store.delete('a')).toBe(true)
      expect(await store.get('a')).toBeUndefined()
      expect(await store.delete('a')).toBe(false)
      await store.close()
    })

    test('keeps a copy: what the caller does with its bytes afterwards changes nothing', async () => {
      const store = await open()
      const around = bytesOf('[value]')
      const value = around.subarray(1, 6)
      const setting = store.set('a', value, LONG)
      around.fill(0)
      await setting
      const kept = await store.get('a')
      expect(textOf(kept)).toBe('value')
      expect(kept?.byteLength).toBe(5)
      await store.close()
    })

    test('forgets when the time has passed, and not before', async () => {
      const store = await open()
      await store.set('short', bytesOf('one'), { ttlMs: 150, scope: 's' })
      await store.set('shorter', bytesOf('one'), { ttlMs: 150, scope: 's' })
      await store.set('long', bytesOf('two'), LONG)
      expect(textOf(await store.get('short'))).toBe('one')
      await pass(150)
      expect(await store.get('short')).toBeUndefined()
      expect(await store.delete('shorter')).toBe(false)
      expect(await store.purge('s')).toBe(0)
      expect(textOf(await store.get('long'))).toBe('two')
      await store.close()
    })

    test('a new time takes the place of the old one', async () => {
      const store = await open()
      await store.set('a', bytesOf('one'), { ttlMs: 100, scope: 's' })
      await store.set('a', bytesOf('two'), LONG)
      await pass(100)
      expect(textOf(await store.get('a'))).toBe('two')
      await store.close()
    })

    test.each([0, -1, Number.NaN])('a time of %p leaves the key with nothing', async (ttlMs) => {
      const store = await open()
      await store.set('a', bytesOf('one'), LONG)
      await store.set('a', bytesOf('two'), { ttlMs, scope: 's' })
      expect(await store.get('a')).toBeUndefined()
      await store.close()
    })

    test.each([3_600_000.5, Number.POSITIVE_INFINITY])('a time of %p is one', async (ttlMs) => {
      const store = await open()
      await store.set('a', bytesOf('one'), { ttlMs, scope: 's' })
      expect(textOf(await store.get('a'))).toBe('one')
      await store.close()
    })

    test('purges a scope and leaves the others', async () => {
      const store = await open()
      const scopes = ['a', 'a:b', 'a*', '', '[a]', 'ä']
      for (const [index, scope] of scopes.entries()) {
        await store.set(`1${index}`, bytesOf(scope), { ttlMs: 3_600_000, scope })
        await store.set(`2${index}`, bytesOf(scope), { ttlMs: 3_600_000, scope })
      }
      for (const [index, scope] of scopes.entries()) {
        expect(await store.purge(scope)).toBe(2)
        expect(await store.get(`1${index}`)).toBeUndefined()
        expect((await store.stats()).entries).toBe(2 * (scopes.length - index - 1))
      }
      expect(await store.purge('nobody')).toBe(0)
      await store.close()
    })

    test('purges everything, more than one batch of it', async () => {
      const store = await open()
      await Promise.all(
        Array.from({ length: 1500 }, async (_, index) =>
          store.set(`k${index}`, bytesOf('x'), { ttlMs: 3_600_000, scope: `s${index % 3}` }),
        ),
      )
      expect((await store.stats()).entries).toBe(1500)
      expect(await store.purge('s1')).toBe(500)
      expect(await store.purge()).toBe(1000)
      expect(await store.stats()).toEqual({ entries: 0, bytes: 0 })
      await store.close()
    })

    test('any bytes under any key come back as they are', async () => {
      const store = await open()
      await fc.assert(
        fc.asyncProperty(
          fc.string({ unit: 'binary', maxLength: 300 }),
          fc.uint8Array({ maxLength: 3000 }),
          fc.string({ unit: 'binary', maxLength: 50 }),
          async (key, value, scope) => {
            await store.set(key, value, { ttlMs: 3_600_000, scope })
            expect(Buffer.compare((await store.get(key)) ?? new Uint8Array(1), value)).toBe(0)
          },
        ),
        { numRuns: 300 },
      )
      await store.close()
    })

    test('keys that look alike are not one', async () => {
      const store = await open()
      const keys = [
        '',
        'a',
        'A',
        'a ',
        ' a',
        'a\0',
        'a\0b',
        'ä',
        'a\u0308',
        'a*',
        'a%',
        'a_',
        "a'",
        'a\n',
        '😀',
        '1',
        '1.0',
        '01',
      ]
      for (const key of keys) await store.set(key, bytesOf(`value of ${key}`), LONG)
      for (const key of keys) expect(textOf(await store.get(key))).toBe(`value of ${key}`)
      expect((await store.stats()).entries).toBe(keys.length)
      await store.close()
    })

    test('a value of 24 MiB comes back as it is, and so does none at all', async () => {
      const store = await open()
      const large = new Uint8Array(24 * 1024 * 1024)
      for (let at = 0; at < large.length; at += 65_536) crypto.getRandomValues(large.subarray(at, at + 65_536))
      await store.set('large', large, LONG)
      await store.set('empty', new Uint8Array(), LONG)
      expect(Buffer.compare((await store.get('large')) ?? new Uint8Array(), large)).toBe(0)
      expect((await store.get('empty'))?.byteLength).toBe(0)
      expect((await store.stats()).bytes).toBeGreaterThan(large.length)
      await store.close()
    })

    test('what is larger than the store is not kept, nor what it was to replace', async () => {
      const store = await open({ bytesMax: 10_000 })
      await store.set('a', bytesOf('one'), LONG)
      await store.set('a', new Uint8Array(10_001), LONG)
      expect(await store.get('a')).toBeUndefined()
      await store.close()
    })

    test('calls at the same time do not disturb each other', async () => {
      const store = await open()
      const work = async (worker: number): Promise<void> => {
        for (let turn = 0; turn < 50; turn += 1) {
          const key = `${worker}-${turn % 5}`
          await store.set(key, bytesOf(`${worker} ${turn}`), { ttlMs: 3_600_000, scope: `w${worker}` })
          expect(textOf(await store.get(key))).toBe(`${worker} ${turn}`)
          if (turn % 5 === 4) expect(await store.delete(key)).toBe(true)
        }
      }
      await Promise.all(Array.from({ length: 20 }, (_, worker) => work(worker)))
      expect((await store.stats()).entries).toBe(20 * 4)
      await store.close()
    })

    if (!isBounded) return

    test('what was used least recently gives way, by number', async () => {
      const store = await open({ entriesMax: 3 })
      for (const key of ['a', 'b', 'c']) {
        await store.set(key, bytesOf(key), LONG)
        await pass(60_000)
      }
      await store.get('a')
      await pass(1)
      await store.set('d', bytesOf('d'), LONG)
      expect(await store.get('b')).toBeUndefined()
      for (const key of ['a', 'c', 'd']) expect(textOf(await store.get(key))).toBe(key)
      expect((await store.stats()).entries).toBe(3)
      await store.close()
    })

    test('the bound in bytes holds after every call, keys and what keeping costs included', async () => {
      const bytesMax = 200_000
      const store = await open({ bytesMax })
      let held = 0
      for (let turn = 0; turn < 400; turn += 1) {
        const value = new Uint8Array((turn * 7919) % (turn % 50 === 0 ? 150_000 : 2_000))
        await store.set(`key-${turn}`, value, LONG)
        const { bytes, entries } = await store.stats()
        expect(bytes).toBeLessThanOrEqual(bytesMax)
        expect(bytes).toBeGreaterThan(entries * 100)
        expect(await store.get(`key-${turn}`)).toBeDefined()
        held = Math.max(held, entries)
      }
      expect(held).toBeGreaterThan(50)
      await store.close()
    })

    test('a store that may hold nothing holds nothing', async () => {
      const store = await open({ entriesMax: 0 })
      await store.set('a', bytesOf('one'), LONG)
      expect(await store.get('a')).toBeUndefined()
      const narrow = await open({ ...WIDE, bytesMax: 0 })
      await narrow.set('a', new Uint8Array(), LONG)
      expect(await narrow.get('a')).toBeUndefined()
      await store.close()
      await narrow.close()
    })
  })
}
