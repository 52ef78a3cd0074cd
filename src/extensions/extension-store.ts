import type { Json } from '../formats/json/json.ts'
import type { Store } from '../storage/store.ts'
import type { ExtensionStore } from './extension.ts'

const TO_BYTES = new TextEncoder()
const FROM_BYTES = new TextDecoder()

/**
 * An extension's own part of a store, with values as JSON.
 *
 * A value of other bytes than JSON is not there. `set` rejects with a `TypeError` for what is no JSON, and for a time that
 * is none.
 *
 * @example
 * const own = extensionStore(store, 'hello')
 */
export function extensionStore(store: Store, extension: string): ExtensionStore {
  const scope = `extension:${extension}`
  // A name has no colon, so no two extensions share a key.
  const keyOf = (key: string): string => `${scope}:${key}`
  return {
    async get<T>(key: string): Promise<T | undefined> {
      const bytes = await store.get(keyOf(key))
      return bytes === undefined ? undefined : (parse(bytes) as T | undefined)
    },
    async set(key: string, value: Json, options: { readonly ttlMs: number }): Promise<void> {
      const text = JSON.stringify(value)
      if (text === undefined) throw new TypeError('context.store takes values of JSON')
      const ttlMs = options?.ttlMs
      if (!(ttlMs > 0)) throw new TypeError('context.store.set takes { ttlMs }, a number of milliseconds')
      await store.set(keyOf(key), TO_BYTES.encode(text), { ttlMs, scope })
    },
    async delete(key: string): Promise<void> {
      await store.delete(keyOf(key))
    },
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(FROM_BYTES.decode(bytes)) as unknown
  } catch {
    return undefined
  }
}
