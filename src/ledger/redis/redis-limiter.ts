import type { Log } from '../../telemetry/log.ts'
import { stringifyOnce } from '../counters/booking-record.ts'
import type { Ledger } from '../ledger.ts'
import { type BudgetDemand, type CallDemand, type Decision, type Limiter, LimiterError } from '../limiter.ts'
import type { Booking } from '../records.ts'
import { budgetName, RedisBudgets } from './redis-budgets.ts'
import { DECIDE } from './redis-limit-scripts.ts'
import { type RedisCall, RedisReservations } from './redis-reservations.ts'
import { RedisScripts, type RedisServerDeps } from './redis-scripts.ts'

/** The dependencies of a limiter in Redis. */
export interface RedisLimiterDeps {
  readonly server: RedisServerDeps
  readonly ledger: Pick<Ledger, 'spent'>
  /** Takes bookings; tells when each is in the books. */
  readonly bookings: { readonly add: (booking: Booking, onBooked: () => void) => void }
  readonly log: Pick<Log, 'warn' | 'info'>
}

/** Calls are renewed so often: a server that has begun anew knows all that is under way before it decides anything. */
const RENEW_MS = 1_000
/** Every so many renewals, what nodes that are gone have left is looked for; and budgets are compared with the books. */
const ADOPT_EVERY = 3
const COMPARE_EVERY = 60
/** How often a decision is asked for anew, once the server was told what a budget has spent. */
const TRIES = 5

/**
 * Opens a limiter whose counters lie in a Redis or Valkey server, for many nodes: each decision is one script there. The server is connected to
 * with the first one.
 *
 * @example
 * const limiter = openRedisLimiter({ server: { connection, breaker, deadlines, waitMs: 20 }, ledger, bookings, log })
 */
export function openRedisLimiter(deps: RedisLimiterDeps): RedisLimiter {
  return new RedisLimiter(deps)
}

/** A limiter in Redis. */
export class RedisLimiter implements Limiter {
  readonly #scripts: RedisScripts
  readonly #budgets: RedisBudgets
  readonly #reservations: RedisReservations
  readonly #timer: NodeJS.Timeout
  #fault: string | undefined
  #ticks = 0
  #ticking: Promise<void> | undefined

  constructor({ server, ledger, bookings, log }: RedisLimiterDeps) {
    this.#scripts = new RedisScripts(server, {
      onTrouble: (cause) => log.warn({ err: cause }, 'Redis is down: limits that nodes share can not be decided'),
      onWell: (awayMs) => log.info({ awayMs }, 'Redis is back: limits that nodes share are decided again'),
    })
    this.#budgets = new RedisBudgets({ scripts: this.#scripts, ledger, log })
    this.#reservations = new RedisReservations({ scripts: this.#scripts, bookings, log })
    this.#timer = setInterval(() => {
      this.#ticking ??= this.tick().finally(() => {
        this.#ticking = undefined
      })
    }, RENEW_MS).unref()
  }

  async decide(demand: CallDemand, _now: number): Promise<Decision> {
    const budgets = demand.budgets.map((budget) => ({ name: budgetName(budget), limit: String(budget.limit) }))
    const call: RedisCall = {
      id: crypto.randomUUID(),
      rates: demand.rates,
      v: {
        amount: String(demand.amount),
        budgets: JSON.stringify(budgets.map(({ name }) => name)),
        places: JSON.stringify(demand.places.map(({ name }) => name)),
        record: demand.booking === undefined ? '' : stringifyOnce(demand.booking),
      },
    }
    const question = { id: call.id, v: call.v, rates: demand.rates, places: demand.places, budgets }
    for (let tries = 0; tries < TRIES; tries += 1) {
      const said = (await this.#scripts.decide(DECIDE, question, (late) => this.#giveBack(call, late))) as string[]
      const [kind, , ...rest] = said
      this.#fault = kind === 'settling' ? 'Redis has begun anew, and is told what is under way.' : undefined
      if (this.#fault !== undefined) throw new LimiterError(this.#fault)
      if (kind !== 'unknown') return this.#decisionOf(call, kind, rest)
      await this.#tell(rest.flatMap((index) => demand.budgets[Number(index)] ?? []))
    }
    throw new LimiterError('What was spent is read from the books again and again.')
  }

  async look(budget: BudgetDemand): Promise<{ readonly spent: bigint; readonly held: bigint }> {
    try {
      let found = await this.#budgets.look(budget)
      if (!found.isKnown) {
        await this.#budgets.tell(budget)
        found = await this.#budgets.look(budget)
      }
      return { spent: found.spent, held: found.held }
    } catch (cause) {
      throw cause instanceof LimiterError ? cause : new LimiterError('Redis is down.', { cause })
    }
  }

  async distrust(budgets: readonly BudgetDemand[]): Promise<void> {
    try {
      await this.#budgets.distrust(budgets)
    } catch (cause) {
      throw new LimiterError('Redis is down.', { cause })
    }
  }

  state(): 'ok' | { readonly down: string } {
    if (this.#scripts.isDown) return { down: 'Redis is down.' }
    return this.#fault === undefined ? 'ok' : { down: this.#fault }
  }

  /** Does what is to be done every second. It never rejects: what fails is done at the next time. */
  async tick(): Promise<void> {
    this.#ticks += 1
    try {
      await this.#reservations.renew()
      if (this.#ticks % ADOPT_EVERY === 0) await this.#reservations.adopt()
      if (this.#ticks % COMPARE_EVERY === 0) await this.#budgets.compare()
    } catch (cause) {
      this.#fault = cause instanceof LimiterError ? cause.message : undefined
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#ticking
    await this.#reservations.settled()
    this.#scripts.close()
  }

  async #tell(budgets: readonly BudgetDemand[]): Promise<void> {
    try {
      await Promise.all(budgets.map((budget) => this.#budgets.tell(budget)))
    } catch (cause) {
      throw cause instanceof LimiterError ? cause : new LimiterError('Redis is down.', { cause })
    }
  }

  #decisionOf(call: RedisCall, kind: string | undefined, rest: readonly string[]): Decision {
    const [index, spent = '0', held = '0'] = rest
    if (kind === 'budget') return { kind, index: Number(index), spent: BigInt(spent), held: BigInt(held) }
    if (kind === 'place') return { kind, index: Number(index) }
    const looks = rest.map((look) => {
      const [remaining = 0, resetMs = 0, retryMs = 0] = look.split(' ').map(Number)
      return { remaining, resetMs, retryMs: retryMs === -1 ? Number.POSITIVE_INFINITY : retryMs }
    })
    if (kind === 'granted') return { kind, rates: looks, reservation: this.#reservations.hold(call) }
    let longest = { index: 0, retryMs: 0 }
    for (const [at, { retryMs }] of looks.entries()) if (retryMs > longest.retryMs) longest = { index: at, retryMs }
    return { kind: 'rate', ...longest, rates: looks }
  }

  /** Gives back what was granted too late. */
  #giveBack(call: RedisCall, said: unknown): void {
    if (Array.isArray(said) && said[0] === 'granted')
      this.#reservations.hold(call).end({ cost: 0n, units: call.rates.map(() => 0), booking: undefined })
  }
}
