import type { RedisClient } from 'bun'
import type { Log } from '../../telemetry/log.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import { RememberedClaims } from '../remembered-claims.ts'
import type { Store, StoreStats } from '../store.ts'
import { CLAIM_HEAD_CHARS, isRunning } from './redis-claim-scripts.ts'
import { claimKeys, RedisClaims } from './redis-claims.ts'
import { RedisConnection } from './redis-connection.ts'

/** The options of the store in Redis. */
export interface RedisStoreOptions {
  /** A larger entry is not kept. The server decides how much it keeps in all: `maxmemory` and its policy. */
  readonly bytesMax: number
  readonly deadlines: Deadlines
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly log: Pick<Log, 'warn'>
}

const PREFIX = 'nexcode:store:'
const CLAIMS = claimKeys(PREFIX)
/** The hexadecimal digits of the scope's digest in front of each value. */
const TAG_CHARS = 32
/** Redis has no number for a time without end. */
const TTL_MS_MAX = 100 * 365 * 24 * 3600 * 1000
const BATCH_KEYS = 500
/** The most keys that are counted for the statistics. */
const COUNTED_KEYS_MAX = 100_000

/**
 * Makes a store in a Redis or Valkey server, for many gateways. It connects when it is first used, and again after the
 * server was away; until then its calls reject.
 *
 * @example
 * const store = createRedisStore('redis://127.0.0.1:6379/0', { bytesMax, deadlines, now: Date.now, log })
 */
export function createRedisStore(url: string, options: RedisStoreOptions): Store {
  return new RedisStore(url, options)
}

class RedisStore implements Store {
  readonly name = 'redis'
  readonly claims: RememberedClaims
  readonly #bytesMax: number
  /** Separate connections: a look-up never waits behind a large value on its way to the server. */
  readonly #reads: RedisConnection
  readonly #writes: RedisConnection

  constructor(url: string, { bytesMax, deadlines, now, log }: RedisStoreOptions) {
    this.#bytesMax = bytesMax
    this.#reads = new RedisConnection(url, deadlines)
    this.#writes = new RedisConnection(url, deadlines)
    const connections = { quick: this.#reads, large: this.#writes }
    const register = new RedisClaims(connections, { bytesMax, prefix: PREFIX, tagOf, log })
    this.claims = new RememberedClaims(register, { name: this.name, now, log })
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const kept = await this.#reads.run((client) => client.getBuffer(PREFIX + key))
    if (kept === null || kept.byteLength < TAG_CHARS) return undefined
    return new Uint8Array(kept.buffer, kept.byteOffset + TAG_CHARS, kept.byteLength - TAG_CHARS)
  }

  async set(
    key: string,
    value: Uint8Array,
    options: { readonly ttlMs: number; readonly scope: string },
  ): Promise<void> {
    const { ttlMs, scope } = options
    if (!(ttlMs > 0) || key.length + value.byteLength > this.#bytesMax) {
      await this.delete(key)
      return
    }
    const kept = new Uint8Array(TAG_CHARS + value.byteLength)
    new TextEncoder().encodeInto(tagOf(scope), kept)
    kept.set(value, TAG_CHARS)
    const wholeMs = Math.ceil(Math.min(ttlMs, TTL_MS_MAX))
    await this.#writes.run((client) => client.set(PREFIX + key, kept, 'PX', wholeMs))
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#writes.run((client) => client.unlink(PREFIX + key))) > 0
  }

  async purge(scope?: string): Promise<number> {
    const tag = scope === undefined ? undefined : tagOf(scope)
    let purged = 0
    for await (const keys of this.#keys()) {
      const ended = await this.#withoutRunning(keys)
      const meant = tag === undefined ? ended : await this.#tagged(ended, tag)
      if (meant.length > 0) purged += await this.#writes.run((client) => client.unlink(...meant))
    }
    return purged
  }

  async stats(): Promise<StoreStats> {
    let entries = 0
    let bytes = 0
    for await (const keys of this.#keys()) {
      const lengths = await this.#forEach(keys, (client, key) => client.strlen(key))
      for (const [index, length] of lengths.entries()) {
        // A claim is no entry; its answer is.
        if (length === 0 || keys[index]?.startsWith(CLAIMS) === true) continue
        entries += 1
        bytes += length + (keys[index]?.length ?? 0)
      }
      if (entries >= COUNTED_KEYS_MAX) break
    }
    return { entries, bytes }
  }

  close(): void {
    this.claims.close()
    this.#reads.close()
    this.#writes.close()
  }

  /** All our keys, in batches. A key that is added or removed meanwhile may be missed, and a key may come twice. */
  async *#keys(): AsyncGenerator<string[]> {
    const pattern = ['MATCH', `${PREFIX}*`, 'COUNT', String(BATCH_KEYS)]
    let cursor = '0'
    do {
      const [next, keys]: [string, string[]] = await this.#writes.run((client) => client.scan(cursor, ...pattern))
      cursor = next
      if (keys.length > 0) yield keys
    } while (cursor !== '0')
  }

  /** The keys without those of running claims: a call under way would be made a second time. */
  async #withoutRunning(keys: readonly string[]): Promise<readonly string[]> {
    const claims = keys.filter((key) => key.startsWith(CLAIMS))
    if (claims.length === 0) return keys
    const heads = await this.#forEach(claims, (client, key) => client.getrange(key, 0, CLAIM_HEAD_CHARS - 1))
    const running = new Set(claims.filter((_, index) => isRunning(heads[index] ?? '')))
    return keys.filter((key) => !running.has(key))
  }

  async #tagged(keys: readonly string[], tag: string): Promise<string[]> {
    const tags = await this.#forEach(keys, (client, key) => client.getrange(key, 0, TAG_CHARS - 1))
    return keys.filter((_, index) => tags[index] === tag)
  }

  #forEach<T>(keys: readonly string[], ask: (client: RedisClient, key: string) => Promise<T>): Promise<T[]> {
    return this.#writes.run((client) => Promise.all(keys.map((key) => ask(client, key))))
  }
}

/** Of one length for every scope, so that it can be told from the value behind it. */
function tagOf(scope: string): string {
  return new Bun.CryptoHasher('sha256').update(scope).digest('hex').slice(0, TAG_CHARS)
}
