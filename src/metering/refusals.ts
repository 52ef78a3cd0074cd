import { writeDollars } from '../formats/text/dollars.ts'
import { writeResetTime } from '../formats/text/reset-time.ts'
import type { BudgetWindow } from '../ledger/counters/budget-window.ts'
import type { RateState, Refusal } from '../ledger/limiter.ts'
import { ApiError } from '../openai/api-error.ts'
import type { CallerBudget, LimitScope, RateKind } from './caller-limits.ts'
import type { LimitedDemand } from './demand.ts'

/** OpenAI's words for a rate, and what its headers call it. */
const RATES: Readonly<Record<RateKind, { readonly words: string; readonly header: 'requests' | 'tokens' }>> = {
  requestsPerMinute: { words: 'requests per min (RPM)', header: 'requests' },
  requestsPerDay: { words: 'requests per day (RPD)', header: 'requests' },
  tokensPerMinute: { words: 'tokens per min (TPM)', header: 'tokens' },
  imagesPerMinute: { words: 'images per minute', header: 'requests' },
}
const SCOPES: Readonly<Record<LimitScope, string>> = {
  key: 'this key',
  project: 'project',
  organization: 'organization',
}
/** OpenAI's newer codes for a spend limit, and ours for a key's: it has none for that. */
const SPEND_CODES: Readonly<Record<LimitScope, string>> = {
  key: 'api_key_spend_limit_exceeded',
  project: 'project_spend_limit_exceeded',
  organization: 'organization_spend_limit_exceeded',
}
const WINDOWS: Readonly<Record<BudgetWindow, string>> = {
  day: "today's spend limit",
  week: "this week's spend limit",
  month: "this month's spend limit",
  total: 'the spend limit',
}
/** How soon a place among the calls under way may be free, or money that is held for them. */
const PLACE_RETRY_MS = 1000
const MODEL_CHARS_MAX = 100

/**
 * Makes the error for a demand that was refused, in OpenAI's words and with its headers.
 *
 * @example
 * throw refusalError(demand, decision)
 */
export function refusalError(demand: LimitedDemand, refusal: Refusal): ApiError {
  if (refusal.kind === 'rate') return rateError(demand, refusal)
  if (refusal.kind === 'place') return placeError(demand, refusal.index)
  return budgetError(demand, refusal)
}

function rateError(demand: LimitedDemand, { index, retryMs, rates }: Extract<Refusal, { kind: 'rate' }>): ApiError {
  const { kind, holder } = at(demand.modelRates, index)
  const { limit, units } = at(demand.rates, index)
  const { words, header } = RATES[kind]
  const state = rates[index]
  const where = `${modelIn(demand)} in ${partyOf(holder.scope, holder.id)} on ${words}: Limit ${limit}`
  if (retryMs === Number.POSITIVE_INFINITY) {
    return new ApiError('exceeds_limit', {
      message: `Request too large for ${where}, Requested ${units}. It can never fit: the input or output must be reduced.`,
    })
  }
  const used = limit - (state?.remaining ?? 0)
  return new ApiError('rate_limited', {
    type: header,
    message: `Rate limit reached for ${where}, Used ${used}, Requested ${units}. Please try again in ${writeResetTime(retryMs)}.`,
    ...retryIn(retryMs, rateHeaders(header, limit, state)),
  })
}

function placeError(demand: LimitedDemand, index: number): ApiError {
  const { scope, id, concurrency } = at(demand.limits.places, index)
  return new ApiError('rate_limited', {
    message: `Rate limit reached for ${modelIn(demand)} in ${partyOf(scope, id)} on concurrent requests: Limit ${concurrency}. Please try again in ${writeResetTime(PLACE_RETRY_MS)}.`,
    ...retryIn(PLACE_RETRY_MS, {}),
  })
}

function budgetError(demand: LimitedDemand, { index, spent, held }: Extract<Refusal, { kind: 'budget' }>): ApiError {
  const budget = at(demand.limits.budgets, index)
  const { limit, to } = at(demand.budgets, index)
  const { amount } = demand
  const party = partyOf(budget.holder.scope, budget.holder.id)
  const ends = Number.isFinite(to) ? new Date(to * 1000).toISOString().replace('.000Z', 'Z') : undefined
  const headers = { 'x-nexcode-limit': limitHeader(budget, spent, held, ends) }
  const most =
    demand.lesser === undefined
      ? `This call may cost up to $${writeDollars(amount)}`
      : `This call sets no limit on its answer, and is expected to cost up to $${writeDollars(amount)}`
  const of = `${WINDOWS[budget.window]} of ${party}, $${writeDollars(limit)}`
  // Where all of it is spent, that is the reason, whatever the call asks for.
  if (amount > limit && spent < limit) {
    return new ApiError('exceeds_limit', {
      message: `${most}, which is more than ${of}, and will never be allowed. Ask for fewer tokens (max_tokens), or send less.`,
      headers,
    })
  }
  // The rest is held for calls under way, most of which cost less than they may.
  if (spent < limit && spent + amount <= limit) {
    return new ApiError('rate_limited', {
      type: 'tokens',
      message: `Rate limit reached for ${modelIn(demand)} in ${party}: $${writeDollars(held)} of ${of}, is held for calls under way, and $${writeDollars(spent)} is spent. ${most}. Please try again in ${writeResetTime(PLACE_RETRY_MS)}.`,
      ...retryIn(PLACE_RETRY_MS, headers),
    })
  }
  const anew = ends === undefined ? 'It does not begin anew by itself.' : `It begins anew at ${ends}.`
  const cause =
    spent >= limit
      ? `You exceeded your current quota: ${of}, is reached ($${writeDollars(spent)} is spent).`
      : `You exceeded your current quota: of ${of}, $${writeDollars(spent)} is spent. ${most}, which is more than is left: ask for fewer tokens (max_tokens).`
  return new ApiError('spend_limit_reached', {
    message: `${cause} ${anew} Ask the operator of this server.`,
    headers: {
      ...headers,
      'x-should-retry': 'false',
      'x-nexcode-error-code': SPEND_CODES[budget.holder.scope],
    },
  })
}

function limitHeader({ window, holder, limit }: CallerBudget, spent: bigint, held: bigint, ends?: string): string {
  return [
    `budget=${window}`,
    `scope=${holder.scope}`,
    `limit=${writeDollars(limit)}`,
    `spent=${writeDollars(spent)}`,
    ...(held > 0n ? [`held=${writeDollars(held)}`] : []),
    ...(ends === undefined ? [] : [`reset=${ends}`]),
  ].join(';')
}

function rateHeaders(name: string, limit: number, state: RateState | undefined): Readonly<Record<string, string>> {
  return {
    [`x-ratelimit-limit-${name}`]: String(limit),
    [`x-ratelimit-remaining-${name}`]: String(state?.remaining ?? 0),
    [`x-ratelimit-reset-${name}`]: writeResetTime(state?.resetMs ?? 0),
  }
}

/** The headers and the seconds by which clients wait. */
function retryIn(
  ms: number,
  headers: Readonly<Record<string, string>>,
): { readonly retryAfterSeconds: number; readonly headers: Readonly<Record<string, string>> } {
  return {
    retryAfterSeconds: Math.max(1, Math.ceil(ms / 1000)),
    headers: { 'retry-after-ms': String(Math.max(1, Math.ceil(ms))), 'x-should-retry': 'true', ...headers },
  }
}

function modelIn({ model }: LimitedDemand): string {
  return model === undefined ? 'requests' : model.slice(0, MODEL_CHARS_MAX)
}

function partyOf(scope: LimitScope, id: string): string {
  return scope === 'key' ? `${SCOPES.key} (${id})` : `${SCOPES[scope]} ${id}`
}

function at<T>(all: readonly T[], index: number): T {
  const one = all[index]
  if (one === undefined) throw new Error('A limit was refused that nobody asked for.')
  return one
}
