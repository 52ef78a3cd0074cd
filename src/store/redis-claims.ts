import type { RedisClient } from 'bun'
import type { Claim, ClaimEnd, Claims, ClaimTimes, Standing, Taken } from './claims.ts'

/**
 * What stands under a claim's key: whose it is (32 digits of a digest, as in front of each value), its state (one letter), its token (36
 * characters), and the request's fingerprint. The lease is a key of its own, which the server takes away when its time is over.
 */
const TAG_CHARS = 32
const STATE_AT = TAG_CHARS
const TOKEN_AT = STATE_AT + 1
const TOKEN_CHARS = 36
const FINGERPRINT_AT = TOKEN_AT + TOKEN_CHARS

const LETTERS = { running: 'R', answered: 'A', unkept: 'U', lost: 'L' } as const
const TAKEN = 'T'
const FREE = 'F'

/** KEYS: claim, lease. ARGV: token, claim, milliseconds of the lease, and of what is known after it. */
const PRELUDE = `
local head = redis.call('GET', KEYS[1])
local lease = redis.call('GET', KEYS[2])
local state = head and string.sub(head, ${STATE_AT + 1}, ${STATE_AT + 1})
local token = head and string.sub(head, ${TOKEN_AT + 1}, ${TOKEN_AT + TOKEN_CHARS})
local rest = head and string.sub(head, ${TOKEN_AT + 1}) or ''
local function put()
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
end
`
/** A lease without its claim is one whose claim the server has let go of, to make room. */
const STANDING = `
if not head then return lease and '${LETTERS.running}' or '${FREE}' end
if state == '${LETTERS.running}' and not lease then return '${LETTERS.lost}' .. rest end
return state .. rest
`
const LOOK = PRELUDE + STANDING
const TAKE = `${PRELUDE}
if (not head and (not lease or lease == ARGV[1])) or (state == '${LETTERS.running}' and token == ARGV[1]) then
  put()
  return '${TAKEN}'
end
${STANDING}`
const RENEW = `${PRELUDE}
if not head or (state == '${LETTERS.running}' and token == ARGV[1]) then put() end`
const END = `${PRELUDE}
if head and token ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
if lease == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1`
const RELEASE = `${PRELUDE}
if state == '${LETTERS.running}' and token == ARGV[1] then redis.call('DEL', KEYS[1]) end
if lease == ARGV[1] then redis.call('DEL', KEYS[2]) end`

/** Connections to the server; each runs commands, and rejects where the server is away. */
export interface ClaimConnections {
  /** For what is short. */
  readonly quick: { run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T> }
  /** For answers. */
  readonly large: { run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T> }
}

/** What claims in Redis need. */
export interface RedisClaimsOptions {
  /** A larger answer is not kept. */
  readonly bytesMax: number
  /** In front of all keys that a purge goes through. */
  readonly prefix: string
  /** What a scope's entries are known by. */
  readonly tagOf: (scope: string) => string
}

/**
 * Claims in a Redis or Valkey server, for many gateways: each step is one script, and so one step for all who share it. How much is
 * kept is the server's affair; an answer that it has let go of was given all the same.
 */
export class RedisClaims implements Claims {
  readonly #connections: ClaimConnections
  readonly #options: RedisClaimsOptions

  constructor(connections: ClaimConnections, options: RedisClaimsOptions) {
    this.#connections = connections
    this.#options = options
  }

  async take(claim: Claim, times: ClaimTimes): Promise<Taken> {
    const said = await this.#run(TAKE, claim, 'running', times)
    const standing = said === TAKEN ? ({ kind: 'taken' } as const) : await this.#standingOf(claim.id, said)
    if (standing.kind === 'free') throw new Error('Redis took no claim, and said that there is none.')
    // Whose fingerprint is not known any more is taken for the same request's.
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

  /** Before its claim says that it is there. */
  async #keep(claim: Claim, answer: Uint8Array, { windowMs }: ClaimTimes): Promise<void> {
    const kept = new Uint8Array(TAG_CHARS + answer.byteLength)
    new TextEncoder().encodeInto(this.#options.tagOf(claim.scope), kept)
    kept.set(answer, TAG_CHARS)
    const key = this.#answerKey(claim.id, claim.token)
    await this.#connections.large.run((client) => client.set(key, kept, 'PX', Math.ceil(windowMs)))
  }

  #run(script: string, claim: Claim, state: keyof typeof LETTERS, { leaseMs, windowMs }: ClaimTimes): Promise<unknown> {
    const { id, token, fingerprint, scope } = claim
    const head = this.#options.tagOf(scope) + LETTERS[state] + token + fingerprint
    const times = [String(Math.ceil(leaseMs)), String(Math.ceil(state === 'running' ? leaseMs + windowMs : windowMs))]
    return this.#connections.quick.run((client) =>
      client.send('EVAL', [script, '2', ...this.#keysOf(id), token, head, ...times]),
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

/** What the keys of claims begin with. */
export function claimKeys(prefix: string): string {
  return `${prefix}once:`
}

/** Whether what stands under a claim's key is one that somebody has. */
export function isRunning(claim: string): boolean {
  return claim[STATE_AT] === LETTERS.running
}

/** The part of a claim that says so. */
export const CLAIM_HEAD_CHARS = FINGERPRINT_AT
