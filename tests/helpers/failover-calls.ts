/** What an upstream does instead of answering. */
export const FAULTS = ['429', '503', '500', 'refused', 'reset', 'stall', 'reset_midway', 'stall_midway'] as const
export type Fault = (typeof FAULTS)[number]

/** Whether the gateway has the default `retry.on`, or one with everything in it. */
export const MODES = ['default', 'widened'] as const
export type Mode = (typeof MODES)[number]

export const SDKS = ['node', 'python'] as const
export type Sdk = (typeof SDKS)[number]

/**
 * Where a call meets its fault: at none of its attempts; the first of all; the first of all, and the others are refused with
 * 503; all but the first of all, which is refused with 503; all at the first target; all.
 */
const PLACES = ['nowhere', 'once', 'early', 'late', 'first', 'everywhere'] as const
export type Place = (typeof PLACES)[number]

/** One call of an SDK's user, and what it is to meet. */
export interface FaultyCall {
  /** Sent as `x-client-request-id`, which every attempt carries. */
  readonly id: string
  readonly sdk: Sdk
  readonly mode: Mode
  readonly fault: Fault
  readonly stream: boolean
  readonly place: Place
  /** What the caller calls the model: it decides the targets. */
  readonly model: string
  /** A whole number from 0 to 999, for whatever else is to differ from call to call. */
  readonly variant: number
}

/** The gateway's tries for one request of an SDK, and an SDK's own retries after the first, which are its default. */
export const ATTEMPTS = 3
export const SDK_RETRIES = 2

/** How often each place comes, out of 10. */
const SHARES: readonly Place[] = [
  'nowhere',
  'once',
  'once',
  'early',
  'late',
  'late',
  'first',
  'first',
  'everywhere',
  'everywhere',
]

/** Faults of the target itself, which can't be had by one attempt and not by the next. */
const OF_THE_TARGET: ReadonlySet<Fault> = new Set(['refused', 'stall', 'stall_midway'])

/** Makes the calls: `count` for each SDK, fault, and way (streamed or not), in an order of their own; the same each time. */
export function planCalls(mode: Mode, count: number): FaultyCall[] {
  const random = mulberry32(mode === 'default' ? 5 : 55)
  const calls = SDKS.flatMap((sdk) =>
    FAULTS.flatMap((fault) =>
      [false, true].flatMap((stream) =>
        Array.from({ length: count }, (_, index): FaultyCall => {
          const drawn = SHARES[Math.floor(random() * SHARES.length)] ?? 'first'
          const isOfAttempts = drawn === 'once' || drawn === 'early' || drawn === 'late'
          const place = isOfAttempts && OF_THE_TARGET.has(fault) ? 'first' : drawn
          const id = `${sdk}-${mode}-${fault}-${stream ? 'stream' : 'whole'}-${index}`
          const variant = Math.floor(random() * 1000)
          return { id, sdk, mode, fault, stream, place, model: modelOf(mode, fault, place), variant }
        }),
      ),
    ),
  )
  return calls
    .map((call) => ({ call, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ call }) => call)
}

function modelOf(mode: Mode, fault: Fault, place: Place): string {
  return `${mode}-${fault}-${place}`
}

const WIDENED = ['connect', 429, 503, 529, '5xx', 'timeout', 'reset', 'invalid']

/** Time limits so short that only upstreams have them which never answer in full. */
const STALL_MS = 120

/**
 * Makes the configuration file: a model for each mode, fault and place, with two targets of its own, so that no cool-down
 * of one is another's. What stalls is asked under a short time limit, what answers under a long one.
 */
export function failoverFile(urls: { readonly first: string; readonly second: string; readonly gone: string }): object {
  const upstreams = {
    first: { base_url: urls.first },
    second: { base_url: urls.second },
    stall_first: { base_url: urls.first, timeouts: { first_byte: STALL_MS } },
    stall_second: { base_url: urls.second, timeouts: { first_byte: STALL_MS } },
    stall_midway_first: { base_url: urls.first, timeouts: { stream_idle: STALL_MS } },
    stall_midway_second: { base_url: urls.second, timeouts: { stream_idle: STALL_MS } },
    refused_first: { base_url: urls.gone },
    refused_second: { base_url: urls.gone },
  }
  const models = MODES.flatMap((mode) =>
    FAULTS.flatMap((fault) =>
      PLACES.map((place) => {
        const model = modelOf(mode, fault, place)
        const isFaulty = { first: place === 'first' || place === 'everywhere', second: place === 'everywhere' }
        const targets = (['first', 'second'] as const).map((side) => ({
          upstream: OF_THE_TARGET.has(fault) && isFaulty[side] ? `${fault}_${side}` : side,
          model,
        }))
        return [model, { targets, ...(mode === 'widened' && { retry: { on: WIDENED } }) }] as const
      }),
    ),
  )
  return {
    upstreams,
    models: Object.fromEntries(models),
    retry: { attempts: ATTEMPTS, base: 2, max: 10 },
    breaker: false,
    unknown_models: 'refuse',
  }
}

/** A generator of numbers from 0 to 1 that gives the same ones for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
