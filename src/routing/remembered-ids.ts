import type { Secret } from '../config/secret.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { OBJECT_ID_CHARS_MAX } from '../openai/object-ids.ts'
import type { Store } from '../storage/store.ts'

/** The account that holds an object: an upstream, and one of its keys. */
export interface ObjectOwner {
  readonly upstream: string
  /** The key's digest, as `keyDigest` gives it. */
  readonly key: string
  /** The caller's name for the model of a response, where answers have to give that name. */
  readonly alias?: string
}

/** The memory of which account holds which object, such as a file or a response: no other account knows it. */
export interface RememberedIds {
  /**
   * Remembers the account of an object; where a store is given, resolves when the other processes can find it, too. A known
   * account stays, whatever is said later, unless `isGone` says that there is no such account any more.
   */
  readonly remember: (id: string, where: ObjectOwner, options?: RememberOptions) => void | Promise<void>
  /** The account of the first of some objects that this process knows; undefined: it has forgotten them, or never knew them. */
  readonly find: (ids: readonly string[]) => ObjectOwner | undefined
  /** The same for the objects that any process with the same store knows. */
  readonly findIn: (store: Store, ids: readonly string[]) => Promise<ObjectOwner | undefined>
  /** Whether nothing is remembered in this process. */
  readonly isEmpty: () => boolean
  /** A digest that tells a key from others in all processes, and reveals nothing about it. */
  readonly keyDigest: (key: Secret | undefined) => string
}

/** How an object is remembered. */
export interface RememberOptions {
  /** The store that other processes share. */
  readonly store?: Store | undefined
  readonly isGone?: (where: ObjectOwner) => boolean
}

/** The dependencies of a memory of ids. */
export interface RememberedIdsDeps {
  /** SHA-256 (FIPS 180-4). */
  readonly sha256: (text: string) => Uint8Array
}

const REMEMBERED_MAX = 50_000
/** The longest id that is remembered itself. A longer one is remembered by its digest. */
const CHARS_IN_FULL_MAX = 96
const KEY_DIGEST_BYTES = 8
/** The scope of the ids in a store, and how long the store keeps one that nobody names. */
const SCOPE = 'objects'
const TTL_MS = 90 * 24 * 60 * 60 * 1000

/**
 * Makes an empty memory of 50,000 objects. A full memory forgets the object that nobody has asked for the longest.
 *
 * @example
 * const remembered = createRememberedIds({ sha256 })
 */
export function createRememberedIds({ sha256 }: RememberedIdsDeps): RememberedIds {
  const known = new Map<string, ObjectOwner>()
  const digests = new Map<string, string>()
  const digest = (text: string): string => toHex(sha256(text))
  const keyOf = (id: string): string => (id.length <= CHARS_IN_FULL_MAX ? id : digest(id))
  const storeKeyOf = (id: string): string => `object:${digest(`nexcode object 1\n${id}`)}`

  const put = (key: string, where: ObjectOwner): void => {
    known.delete(key)
    known.set(key, where)
    if (known.size <= REMEMBERED_MAX) return
    const [oldest] = known.keys()
    if (oldest !== undefined) known.delete(oldest)
  }
  const look = (id: string): ObjectOwner | undefined => {
    const key = keyOf(id)
    const where = known.get(key)
    if (where !== undefined) put(key, where)
    return where
  }
  /** Writes an account to the store, unless another process has written one before: that one holds. */
  const share = async (
    id: string,
    where: ObjectOwner,
    store: Store,
    isGone: RememberOptions['isGone'],
  ): Promise<void> => {
    const key = storeKeyOf(id)
    const kept = decode(await store.get(key))
    if (kept === undefined || isGone?.(kept) === true) {
      await store.set(key, encode(where), { ttlMs: TTL_MS, scope: SCOPE })
    } else put(keyOf(id), kept)
  }

  return {
    remember(id, where, { store, isGone } = {}) {
      if (id.length > OBJECT_ID_CHARS_MAX) return
      const before = look(id)
      if (before !== undefined && isGone?.(before) !== true) return
      put(keyOf(id), where)
      return store === undefined ? undefined : share(id, where, store, isGone)
    },
    find(ids) {
      for (const id of ids) {
        const where = look(id)
        if (where !== undefined) return where
      }
      return undefined
    },
    async findIn(store, ids) {
      const kept = await Promise.all(ids.map(async (id) => decode(await store.get(storeKeyOf(id)))))
      const at = kept.findIndex((where) => where !== undefined)
      const [id, where] = [ids[at], kept[at]]
      if (id !== undefined && where !== undefined) put(keyOf(id), where)
      return where
    },
    isEmpty: () => known.size === 0,
    keyDigest(key) {
      if (key === undefined) return ''
      const text = key.reveal()
      const before = digests.get(text)
      if (before !== undefined) return before
      const made = toHex(sha256(`nexcode key 1\n${text}`).subarray(0, KEY_DIGEST_BYTES))
      digests.set(text, made)
      return made
    },
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function encode({ upstream, key, alias }: ObjectOwner): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ upstream, key, alias }))
}

function decode(bytes: Uint8Array | undefined): ObjectOwner | undefined {
  if (bytes === undefined) return undefined
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (!isJsonObject(value)) return undefined
    const { upstream, key, alias } = value
    if (typeof upstream !== 'string' || typeof key !== 'string') return undefined
    return { upstream, key, ...(typeof alias === 'string' && { alias }) }
  } catch {
    return undefined
  }
}
