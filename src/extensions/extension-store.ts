import type { Json } from '../formats/json/json.ts'
import type { Store } from '../storage/store.ts'
import type { ExtensionStore } from './extension.ts'

const TO_BYTES = new TextEncoder()
const FROM_BYTES = new TextDecoder()

/**
 * Gives an extension its own part of a store, with values as JSON.
 *
 * A stored value that is not JSON counts as absent. `set` rejects with a `TypeError` for a value that JSON can't hold, and for a
 * wrong `ttlMs`.
 *
 * @example
 * const own = extensionStore(store, 'hello')
 */
export function extensionStore(store: Store, extension: string): ExtensionStore {
  const scope = `extension:${extension}`
  // Names have no colon, so two extensions never share a key.
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
