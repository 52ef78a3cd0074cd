import type { RedisClient } from 'bun'
import type { Log } from '../../telemetry/log.ts'
import {
  type Claim,
  type ClaimEnd,
  type ClaimTimes,
  type Standing,
  type Taken,
  UncertainClaimsError,
} from '../claims.ts'
import type { KnownEnd, SharedRegister } from '../remembered-claims.ts'
import {
  END,
  FREE,
  LETTERS,
  LOOK,
  LOOK_FOR_ERA,
  REGISTER_KEYS,
  RELEASE,
  RENEW,
  RESTORE,
  SETTLING,
  TAG_CHARS,
  TAKE,
  TAKEN,
  TOKEN_CHARS,
} from './redis-claim-scripts.ts'

/** Connections to the server; each runs commands, and rejects where the server is away. */
export interface ClaimConnections {
  /** For short values. */
  readonly quick: { run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T> }
  /** For answers. */
  readonly large: { run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T> }
}

/** The options of claims in Redis. */
export interface RedisClaimsOptions {
  /** A larger answer is not kept. */
  readonly bytesMax: number
  /** The prefix of all keys that a purge goes through. */
  readonly prefix: string
  /** Gives the tag in front of a scope's entries. */
  readonly tagOf: (scope: string) => string
  readonly log: Pick<Log, 'warn'>
}

/**
 * Claims in a Redis or Valkey server, for many gateways: each step is one script, and so atomic for all who share it. The
 * server decides how much it keeps; a claim whose answer it has evicted stays answered.
 */
export class RedisClaims implements SharedRegister {
  readonly #connections: ClaimConnections
  readonly #options: RedisClaimsOptions
  /** The number of evicted keys at the last look; infinite: nobody has looked; undefined: the log has told it. */
  #evicted: number | undefined = Number.POSITIVE_INFINITY

  constructor(connections: ClaimConnections, options: RedisClaimsOptions) {
    this.#connections = connections
    this.#options = options
  }

  async take(claim: Claim, times: ClaimTimes): Promise<Taken> {
    const said = await this.#run(TAKE, claim, 'running', times, REGISTER_KEYS, [crypto.randomUUID()])
    if (said === SETTLING) throw new UncertainClaimsError('Redis has begun anew, and takes no claims for a moment.')
    const standing = said === TAKEN ? ({ kind: 'taken' } as const) : await this.#standingOf(claim.id, said)
    if (standing.kind === 'free') throw new Error('Redis took no claim, and said that there is none.')
    // A claim whose fingerprint is lost counts as the same request's.
    if (standing.kind !== 'running' || standing.fingerprint !== '') return standing
    return { kind: 'running', fingerprint: claim.fingerprint }
  }

  async look(id: string): Promise<Standing> {
    const said = await this.#connections.quick.run((client) => client.send('EVAL', [LOOK, '2', ...this.#keysOf(id)]))
    return this.#standingOf(id, said)
  }

  async renew(claim: Claim, times: ClaimTimes): Promise<void> {
    await this.#run(RENEW, claim, 'running', times)
  }

  async end(claim: Claim, end: ClaimEnd, times: ClaimTimes): Promise<void> {
    let { kind } = end
    if (end.kind === 'answered') {
      if (end.answer.byteLength > this.#options.bytesMax) kind = 'unkept'
      else await this.#keep(claim, end.answer, times)
    }
    await this.#run(END, claim, kind, times)
  }

  async release(claim: Claim): Promise<void> {
    await this.#run(RELEASE, claim, 'running', { leaseMs: 1, windowMs: 1 })
  }

  /** Writes the answer, before its claim says that there is one. */
  async #keep(claim: Claim, answer: Uint8Array, { windowMs }: ClaimTimes): Promise<void> {
    const kept = new Uint8Array(TAG_CHARS + answer.byteLength)
    new TextEncoder().encodeInto(this.#options.tagOf(claim.scope), kept)
    kept.set(answer, TAG_CHARS)
    const key = this.#answerKey(claim.id, claim.token)
    await this.#connections.large.run((client) => client.set(key, kept, 'PX', Math.ceil(windowMs)))
  }

  async era(): Promise<string> {
    const args = [LOOK_FOR_ERA, '2', ...REGISTER_KEYS, crypto.randomUUID()]
    const said = String(await this.#connections.quick.run((client) => client.send('EVAL', args)))
    const at = said.lastIndexOf(' ')
    this.#tellEvicted(Number(said.slice(at + 1)))
    return said.slice(0, at)
  }

  async restore(claim: Claim, end: KnownEnd, times: ClaimTimes): Promise<void> {
    await this.#run(RESTORE, claim, end, times)
  }

  /** Logs once that the server evicts keys to make room: claims may be among them. */
  #tellEvicted(evicted: number): void {
    if (this.#evicted === undefined) return
    const isMore = evicted > this.#evicted
    this.#evicted = isMore ? undefined : evicted
    if (!isMore) return
    this.#options.log.warn(
      { store: 'redis', evictedKeys: evicted },
      'Redis lets go of keys to make room, Idempotency-Keys perhaps among them: give it more maxmemory, or the policy noeviction',
    )
  }

  #run(
    script: string,
    claim: Claim,
    state: keyof typeof LETTERS,
    { leaseMs, windowMs }: ClaimTimes,
    keys: readonly string[] = [],
    more: readonly string[] = [],
  ): Promise<unknown> {
    const { id, token, fingerprint, scope } = claim
    const head = this.#options.tagOf(scope) + LETTERS[state] + token + fingerprint
    const times = [String(Math.ceil(leaseMs)), String(Math.ceil(state === 'running' ? leaseMs + windowMs : windowMs))]
    const count = String(2 + keys.length)
    return this.#connections.quick.run((client) =>
      client.send('EVAL', [script, count, ...this.#keysOf(id), ...keys, token, head, ...times, ...more]),
    )
  }

  async #standingOf(id: string, said: unknown): Promise<Standing> {
    const text = String(said)
    const [letter] = text
    const token = text.slice(1, 1 + TOKEN_CHARS)
    const fingerprint = text.slice(1 + TOKEN_CHARS)
    if (letter === FREE) return { kind: 'free' }
    if (letter === LETTERS.running) return { kind: 'running', fingerprint }
    if (letter === LETTERS.lost) return { kind: 'lost', fingerprint }
    if (letter !== LETTERS.answered) return { kind: 'unkept', fingerprint }
    const kept = await this.#connections.large.run((client) => client.getBuffer(this.#answerKey(id, token)))
    if (kept === null || kept.byteLength < TAG_CHARS) return { kind: 'unkept', fingerprint }
    const answer = new Uint8Array(kept.buffer, kept.byteOffset + TAG_CHARS, kept.byteLength - TAG_CHARS)
    return { kind: 'answered', fingerprint, answer: answer as Uint8Array<ArrayBuffer> }
  }

  #keysOf(id: string): [claim: string, lease: string] {
    return [claimKeys(this.#options.prefix) + id, `nexcode:lease:${id}`]
  }

  #answerKey(id: string, token: string): string {
    return `${this.#options.prefix}answer:${id}:${token}`
  }
}

/** Gives the prefix of the keys of claims. */
export function claimKeys(prefix: string): string {
  return `${prefix}once:`
}
