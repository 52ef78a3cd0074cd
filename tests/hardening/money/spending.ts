import type { BudgetDemand } from '../../../src/ledger/limiter.ts'
import type { Booking } from '../../../src/ledger/records.ts'
import { openRedisLimiter, type RedisLimiter, type RedisLimiterDeps } from '../../../src/ledger/redis/redis-limiter.ts'
import { NO_USAGE } from '../../../src/openai/usage/usage.ts'
import { RedisConnection } from '../../../src/storage/redis/redis-connection.ts'
import { StoreBreaker } from '../../../src/storage/store-breaker.ts'
import { createDeadlines } from '../../../src/timing/deadlines.ts'
import type { Random } from '../random.ts'

/** What a process of callers is told. */
export interface SpenderForm {
  readonly store: string
  readonly folder: string
  /** The address of a Redis that decides; absent: the counters in the folder do. */
  readonly redis?: string
  readonly seed: number
  readonly name: string
  readonly callers: number
  readonly calls: number
  /** Limits in nano-dollars. */
  readonly keyLimit: number
  readonly projectLimit: number
  readonly isWrong: boolean
}

/** One call: what is held for it, what it costs, and what is known of that on the way. */
interface Spending {
  readonly amount: number
  readonly cost: number
  readonly seen: number
  /** How often others come to their turn before it ends. */
  readonly pauses: number
  readonly keyId: string
  readonly booking: (cost: number) => Booking
}

/** The keys of all callers. */
export const KEYS: readonly string[] = Array.from({ length: 8 }, (_, index) => `key_${index}`)

/** Makes a call: most are complete, some are cancelled, some have failed and cost nothing. */
export function spending(random: Random): Spending {
  const amount = 1 + random.below(1000)
  const kind = random.below(10)
  const cost = kind === 0 ? 0 : kind < 3 ? random.below(amount) : 1 + random.below(amount)
  const keyId = random.pick(KEYS)
  const id = Bun.randomUUIDv7().replaceAll('-', '')
  const outcome = kind === 0 ? 'failed' : kind < 3 ? 'cancelled' : 'complete'
  return {
    ...{ amount, cost, seen: random.below(cost + 1), pauses: 1 + random.below(3), keyId },
    booking: (spent) => ({
      ...{ id, at: Date.now(), requestId: id, keyId, projectId: 'proj_1', model: 'gpt-4o', servedModel: 'gpt-4o' },
      ...{ endpoint: 'chat_completions', upstream: 'openai', tier: 'default', isBatch: false, usage: NO_USAGE },
      ...{ cost: spent, saved: 0, pricedBy: 'table', isEstimated: false, outcome, status: 200 },
    }),
  }
}

/** The budgets of a call: its key's, and the project's. */
export function budgetsOf(
  keyId: string,
  { keyLimit, projectLimit }: Pick<SpenderForm, 'keyLimit' | 'projectLimit'>,
): readonly BudgetDemand[] {
  const window = { from: 0, to: Number.POSITIVE_INFINITY }
  return [
    { keyId, ...window, limit: BigInt(keyLimit) },
    { projectId: 'proj_1', ...window, limit: BigInt(projectLimit) },
  ]
}

/** Opens a limiter in Redis, as a gateway does; a machine with other work may take longer to answer. */
export function openRedis(url: string, deps: Omit<RedisLimiterDeps, 'server'>): RedisLimiter {
  const deadlines = createDeadlines()
  const breaker: RedisLimiterDeps['server']['breaker'] = (events) => new StoreBreaker(() => performance.now(), events)
  return openRedisLimiter({
    ...deps,
    server: { connection: new RedisConnection(url, deadlines), breaker, deadlines, waitMs: 1000 },
  })
}
