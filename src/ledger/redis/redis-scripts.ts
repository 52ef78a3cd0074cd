import type { RedisConnection } from '../../storage/redis/redis-connection.ts'
import type { StoreBreaker, StoreBreakerEvents } from '../../storage/store-breaker.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import { LimiterError } from '../limiter.ts'
import { LIMITS_PREFIX } from './redis-limit-scripts.ts'

/** How to reach the server. */
export interface RedisServerDeps {
  readonly connection: Pick<RedisConnection, 'run' | 'close'>
  /** Keeps calls away from a server that is down. */
  readonly breaker: (events: StoreBreakerEvents) => Pick<StoreBreaker, 'ask' | 'onSuccess' | 'onFailure' | 'isOpen'>
  readonly deadlines: Deadlines
  /** The longest that a decision waits for the server, in milliseconds. */
  readonly waitMs: number
}

/** The server counts as down where so many answers are late, and none has come for so long: it may only have been busy for a moment. */
const LATE_MAX = 3
const SILENT_MS = 250

/** Runs scripts in a Redis or Valkey server: each is one atomic step, in which all nodes see one and the same. */
export class RedisScripts {
  readonly #deps: RedisServerDeps
  readonly #breaker: ReturnType<RedisServerDeps['breaker']>
  readonly #digests = new Map<string, string>()
  #late = 0
  #answeredAt = Number.NEGATIVE_INFINITY

  constructor(deps: RedisServerDeps, events: StoreBreakerEvents) {
    this.#deps = deps
    this.#breaker = deps.breaker(events)
  }

  /** Whether the server is left alone for now. */
  get isDown(): boolean {
    return this.#breaker.isOpen
  }

  /**
   * Runs a script within the time that a decision has. Rejects with a `LimiterError` where the server is down or late; `onLate` gets what it says
   * then all the same.
   */
  async decide(script: string, question: object, onLate: (said: unknown) => void): Promise<unknown> {
    const epoch = this.#breaker.ask()
    if (epoch === undefined) throw new LimiterError('Redis is down.')
    const { promise: late, reject } = Promise.withResolvers<never>()
    let [isDone, isLate] = [false, false]
    const expire = (): void => {
      if (isDone) return
      isLate = true
      const cause = new LimiterError(`Redis has given no answer in ${this.#deps.waitMs} ms.`)
      if (this.#isSilent() || this.#breaker.isOpen) this.#breaker.onFailure(epoch, cause)
      reject(cause)
    }
    // Where this process was busy, the answer may have come already: it is read before.
    const deadline = this.#deps.deadlines.start(this.#deps.waitMs, () => void setImmediate(expire))
    const running = this.run(script, question).then(
      (said) => {
        isDone = true
        this.#late = 0
        this.#answeredAt = performance.now()
        if (isLate) onLate(said)
        this.#breaker.onSuccess(epoch)
        return said
      },
      (cause: unknown) => {
        isDone = true
        if (!isLate) this.#breaker.onFailure(epoch, cause)
        throw new LimiterError('Redis is down.', { cause })
      },
    )
    // Who is late is nobody's any more.
    running.catch(() => undefined)
    try {
      return await Promise.race([running, late])
    } finally {
      deadline.clear()
    }
  }

  /** Counts an answer that is late, and gives whether the server seems to be down. */
  #isSilent(): boolean {
    this.#late += 1
    return this.#late >= LATE_MAX && performance.now() - this.#answeredAt > SILENT_MS
  }

  /** Runs a script however long it takes. Rejects where the server is away. */
  run(script: string, question: object): Promise<unknown> {
    let digest = this.#digests.get(script)
    if (digest === undefined) {
      digest = new Bun.CryptoHasher('sha1').update(script).digest('hex')
      this.#digests.set(script, digest)
    }
    const args = ['1', LIMITS_PREFIX, JSON.stringify({ drawn: crypto.randomUUID(), ...question })]
    return this.#deps.connection.run(async (client) => {
      try {
        return await client.send('EVALSHA', [digest, ...args])
      } catch (cause) {
        // A server that has begun anew, or was told to, knows no script.
        if (!String(cause).includes('NOSCRIPT')) throw cause
        return await client.send('EVAL', [script, ...args])
      }
    })
  }

  close(): void {
    this.#deps.connection.close()
  }
}
