import type { Exchange } from '../exchange/exchange.ts'
import { entryOf } from '../exchange/principal.ts'
import { BoundedMemo } from '../formats/bounded-memo.ts'
import { compilePatterns, type Fits } from '../formats/text/wildcards.ts'
import type { BudgetWindow } from '../ledger/counters/budget-window.ts'
import type { KeyEntry, Limits, RateLimit } from '../ledger/records.ts'

/** Whose limits they are. */
export type LimitScope = 'key' | 'project' | 'organization'

/** One of the parties whose limits hold for a caller. */
export interface LimitHolder {
  readonly scope: LimitScope
  readonly id: string
  readonly limits: Limits
  /** The IANA time zone of its budgets' windows. */
  readonly timeZone: string
}

/** The kinds of rates, with what they count. */
export type RateKind = 'requestsPerMinute' | 'requestsPerDay' | 'tokensPerMinute' | 'imagesPerMinute'

/** A rate that holds for a model, and whose it is. */
export interface ModelRate {
  readonly kind: RateKind
  readonly holder: LimitHolder
  readonly limit: number
  /** What its bucket is known by on all nodes. */
  readonly name: string
}

/** A budget of a caller in a kind of window. */
export interface CallerBudget {
  readonly holder: LimitHolder
  readonly window: BudgetWindow
  /** In nano-dollars. */
  readonly limit: bigint
}

const KINDS: readonly (readonly [kind: RateKind, unit: string])[] = [
  ['requestsPerMinute', 'requests/min'],
  ['requestsPerDay', 'requests/day'],
  ['tokensPerMinute', 'tokens/min'],
  ['imagesPerMinute', 'images/min'],
]
/** Names of models are the callers', so there is no end of them. */
const REMEMBERED = { entriesMax: 500, keyCharsMax: 256 } as const
const NO_RATES: readonly ModelRate[] = []

/**
 * The limits that hold for one caller: those of its key, its project and the organization, ready to be decided by. It is made once for each
 * state of a key.
 *
 * @example
 * const limits = callerLimits(entry)
 * if (!limits.permitsModel('gpt-4o')) throw …
 */
export class CallerLimits {
  readonly keyId: string
  /** What the key may do, by OpenAI's scopes; undefined: all. */
  readonly scopes: readonly string[] | undefined
  readonly holders: readonly LimitHolder[]
  readonly budgets: readonly CallerBudget[]
  /** Whether the models are restricted that it may use. */
  readonly restrictsModels: boolean
  /** Whether there is any rate. */
  readonly hasRates: boolean
  /** Whether tokens, images or money are limited, so that what a call uses has to be counted. */
  readonly countsUse: boolean
  /** The holders with a limit on calls under way. */
  readonly places: readonly (LimitHolder & { readonly concurrency: number })[]
  readonly #endpoints: readonly Fits[]
  readonly #models: readonly Fits[]
  readonly #rates = new BoundedMemo<readonly ModelRate[]>(REMEMBERED)

  constructor({ id, limits, project, organization }: KeyEntry) {
    this.keyId = id
    this.scopes = limits.scopes
    const timeZone = project?.timeZone ?? 'UTC'
    const holders = [holderOf('key', { id, limits, timeZone })]
    if (project !== undefined) holders.push(holderOf('project', project))
    if (organization !== undefined) holders.push(holderOf('organization', organization))
    this.holders = holders
    this.budgets = this.holders.flatMap(budgetsOf)
    this.places = this.holders.flatMap((holder) => {
      const { concurrency } = holder.limits
      return concurrency === undefined ? [] : [{ ...holder, concurrency }]
    })
    this.countsUse =
      this.budgets.length > 0 ||
      this.holders.some(({ limits: { rates } }) =>
        rates.some(({ tokensPerMinute, imagesPerMinute }) => (tokensPerMinute ?? imagesPerMinute) !== undefined),
      )
    this.hasRates = this.holders.some((holder) => holder.limits.rates.length > 0)
    this.#endpoints = this.holders.flatMap(({ limits: { endpoints } }) =>
      endpoints === undefined ? [] : [compilePatterns(endpoints.map(withoutVersion))],
    )
    this.#models = this.holders.flatMap(({ limits: { models } }) => {
      if (models === undefined) return []
      const fits = compilePatterns(models.models.map((name) => name.toLowerCase()))
      return [models.mode === 'allow_list' ? fits : (name: string): boolean => !fits(name)]
    })
    this.restrictsModels = this.#models.length > 0
  }

  /** Whether endpoints are named that it may use. */
  get namesEndpoints(): boolean {
    return this.#endpoints.length > 0
  }

  /** Whether money is limited. */
  get hasBudget(): boolean {
    return this.budgets.length > 0
  }

  /** Whether the model of a request has to be known: it decides about it. */
  get needsModel(): boolean {
    return this.restrictsModels || this.hasRates || this.hasBudget
  }

  /** Whether it may use an endpoint, by its path below `/v1/`. */
  permitsEndpoint(path: string): boolean {
    return this.#endpoints.every((fits) => fits(path))
  }

  /** Whether it may use a model. Letters in another case are the same name: some upstreams take them for it. */
  permitsModel(model: string): boolean {
    if (this.#models.length === 0) return true
    const name = model.toLowerCase()
    return this.#models.every((fits) => fits(name))
  }

  /** The rates that hold for a model: of each holder and kind the one whose name fits best. Without a model those for all count. */
  ratesOf(model: string | undefined): readonly ModelRate[] {
    if (!this.hasRates) return NO_RATES
    const name = model?.toLowerCase() ?? ''
    return (
      this.#rates.get(name) ??
      this.#rates.set(
        name,
        this.holders.flatMap((holder) => ratesFor(name, holder)),
      )
    )
  }
}

const known = new WeakMap<KeyEntry, CallerLimits>()

/**
 * The limits of a request's caller; undefined: it has none, for the money is not this server's.
 *
 * @example
 * const limits = limitsOfCaller(exchange)
 */
export function limitsOfCaller({ principal }: Pick<Exchange, 'principal'>): CallerLimits | undefined {
  const entry = entryOf(principal)
  return entry === undefined ? undefined : callerLimits(entry)
}

/** The limits of a caller, by its entry. */
export function callerLimits(entry: KeyEntry): CallerLimits {
  const made = known.get(entry)
  if (made !== undefined) return made
  const limits = new CallerLimits(entry)
  known.set(entry, limits)
  return limits
}

function holderOf(scope: LimitScope, { id, limits, timeZone }: Omit<LimitHolder, 'scope'>): LimitHolder {
  return { scope, id, limits, timeZone }
}

function budgetsOf(holder: LimitHolder): readonly CallerBudget[] {
  const { day, week, month, total } = holder.limits.spend
  const each = { day, week, month, total }
  return (Object.keys(each) as (keyof typeof each)[]).flatMap((window) => {
    const limit = each[window]
    return limit === undefined ? [] : [{ holder, window, limit }]
  })
}

function ratesFor(model: string, holder: LimitHolder): readonly ModelRate[] {
  const fitting = holder.limits.rates
    .filter((rate) => rate.model === '*' || (model !== '' && compilePatterns([rate.model.toLowerCase()])(model)))
    .toSorted((one, other) => closeness(other, model) - closeness(one, model))
  return KINDS.flatMap(([kind, unit]) => {
    const limit = fitting.find((rate) => rate[kind] !== undefined)?.[kind]
    return limit === undefined ? [] : [{ kind, holder, limit, name: `${holder.id} ${model} ${unit}` }]
  })
}

/** How well a name fits: exactly, or by so many letters. */
function closeness({ model: pattern }: RateLimit, model: string): number {
  return pattern.toLowerCase() === model ? Number.POSITIVE_INFINITY : pattern.replaceAll('*', '').length
}

/** A path below `/v1/`, which may also be written with it. */
function withoutVersion(path: string): string {
  return path.replace(/^\/?(?:v1\/)?/, '')
}
