import { describe, expect, test } from 'bun:test'
import { Secret } from '../../../src/config/secret.ts'
import { createRememberedIds, type RememberedIds } from '../../../src/routing/remembered-ids.ts'
import { createMemoryStore } from '../../../src/storage/memory/memory-store.ts'

const HERE = { upstream: 'openai', key: 'k1' }
const THERE = { upstream: 'azure', key: '' }
const sha256 = (text: string): Uint8Array => new Bun.CryptoHasher('sha256').update(text).digest()
const create = (): RememberedIds => createRememberedIds({ sha256 })
const openStore = () => createMemoryStore({ bytesMax: 1024 * 1024, entriesMax: 1000, now: Date.now })

describe('remembered ids', () => {
  test('are found again, where the first who told of them said', () => {
    const ids = create()
    expect(ids.isEmpty()).toBe(true)
    expect(ids.find(['file-1'])).toBeUndefined()
    void ids.remember('file-1', HERE)
    void ids.remember('file-1', THERE)
    expect(ids.find(['file-0', 'file-1'])).toBe(HERE)
    expect(ids.find(['__proto__'])).toBeUndefined()
    expect(ids.isEmpty()).toBe(false)
  })

  test('move where the place that was said is gone', () => {
    const ids = create()
    void ids.remember('file-1', HERE)
    void ids.remember('file-1', THERE, { isGone: ({ key }) => key === 'k1' })
    expect(ids.find(['file-1'])).toBe(THERE)
  })

  test('are 50,000: what nobody has asked for the longest is forgotten', () => {
    const ids = create()
    for (let number = 0; number < 50_000; number += 1) void ids.remember(`file-${number}`, HERE)
    ids.find(['file-0'])
    void ids.remember('one-more', HERE)
    void ids.remember('two-more', HERE)
    expect(['file-0', 'file-1', 'file-2', 'file-3', 'one-more'].map((id) => ids.find([id]) !== undefined)).toEqual([
      true,
      false,
      false,
      true,
      true,
    ])
  })

  test('are of any form, but not megabytes long', () => {
    const ids = create()
    for (const chars of [97, 325, 4096, 4097]) void ids.remember('='.repeat(chars), HERE)
    expect([97, 325, 4096, 4097].map((chars) => ids.find(['='.repeat(chars)]))).toEqual([HERE, HERE, HERE, undefined])
  })

  test('are shared through a store, with what the caller called the model, and no id or key is in it', async () => {
    const store = openStore()
    const [ours, others] = [create(), create()]
    const where = { ...HERE, key: ours.keyDigest(new Secret('sk-secret')), alias: 'smart' }
    await ours.remember('resp_1', where, { store })
    expect(await others.findIn(store, ['resp_0', 'resp_1'])).toEqual(where)
    expect(others.find(['resp_1'])).toEqual(where)
    expect(others.keyDigest(new Secret('sk-secret'))).toBe(where.key)
    expect(where.key).toMatch(/^[0-9a-f]{16}$/)
    expect(ours.keyDigest(undefined)).toBe('')
    expect(await store.get('object:resp_1')).toBeUndefined()
  })

  test('stay in a store where the first of several processes has said that they are', async () => {
    const store = openStore()
    const [ours, others] = [create(), create()]
    await ours.remember('resp_1', HERE, { store })
    await others.remember('resp_1', THERE, { store })
    expect(others.find(['resp_1'])).toEqual(HERE)
    expect(await create().findIn(store, ['resp_1'])).toEqual(HERE)
  })

  test('that a store has in a form of its own are none', async () => {
    const store = openStore()
    const taken = { ...store, get: () => new TextEncoder().encode('{"upstream":1}') }
    expect(await create().findIn({ ...taken, name: 'memory' }, ['resp_1'])).toBeUndefined()
  })
})
