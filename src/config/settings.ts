import type { Json } from '../formats/json/json.ts'
import type { CapWords } from './cap-words.ts'
import type { ParamRule } from './param-rule.ts'
import type { Secret } from './secret.ts'
import type { Lacks } from './server-facts.ts'
import type { Vendor } from './vendor.ts'

/**
 * What decides where a request goes, and with which parameters: the checked content of `nexcode.yaml`, with all defaults
 * filled in, or what the environment alone comes to. Plain data but for its secrets, deeply frozen: it crosses to worker
 * processes by `openSecrets`.
 *
 * Milliseconds of 0 mean: no limit.
 */
export interface Settings {
  /** Whether a file said so; without one there is one upstream, no model and no rule. */
  readonly hasFile: boolean
  /** At least one. */
  readonly upstreams: readonly UpstreamSettings[]
  /** The name of the upstream for what no model and no pin decides. */
  readonly defaultUpstream: string
  /** In the order of the file. */
  readonly models: readonly ModelSettings[]
  /** What becomes of a model that no entry of `models` fits. */
  readonly unknownModels: 'pass' | 'refuse'
  /** How requests that no entry of `models` decides are sent. */
  readonly resilience: ResilienceSettings
  readonly params: readonly ParamRule[]
  /** Who holds the objects of a stateful resource, by its first path segment (`files`, `batches`, …). */
  readonly pins: Readonly<Record<string, PinSettings>>
  readonly debugHeaders: boolean
  readonly cache: CacheSettings
  /** The user's own logic, in the order in which a request meets it. */
  readonly extensions: readonly ExtensionSettings[]
  /** How long the answer to an `Idempotency-Key` can be fetched again; 0: the header only passes. */
  readonly idempotencyMs: number
  /** Whether a call with an `Idempotency-Key` runs on when its client has left (`drain`). */
  readonly onDisconnect: 'cancel' | 'drain'
  /** Whether the SDKs' own timeouts (`x-stainless-timeout`, `x-stainless-read-timeout`) end a request here, too. */
  readonly clientDeadline: boolean
}

/** An upstream, or one of its keys. */
export interface PinSettings {
  readonly upstream: string
  /** From 0; undefined: any. */
  readonly keyIndex: number | undefined
}

/** Where answers are kept, which, and for whom. */
export interface CacheSettings {
  /** `memory`, `sqlite:PATH`, or `redis://…` and `rediss://…`, which may hold a password; undefined: answers are not kept. */
  readonly store: Secret | undefined
  readonly bytesMax: number
  readonly entriesMax: number
  /** A larger answer is not kept. */
  readonly answerBytesMax: number
  readonly ttlMs: number
  /** The most that a caller may ask for. */
  readonly ttlMaxMs: number
  /** Only requests that ask for the same answer each time, or the rest, too. */
  readonly requests: 'deterministic' | 'all'
  /** Whether answers are each principal's own, or everybody's. */
  readonly scope: 'principal' | 'shared'
  /** Whether a kept stream comes at once, or with its times. */
  readonly pace: 'instant' | 'original'
}

/** One extension: a file of the user's. */
export interface ExtensionSettings {
  readonly path: string
  readonly options: Json
  /** What becomes of a request when it fails: an error, or it goes on without it. */
  readonly onError: 'fail' | 'skip'
  /** For its own work in one stretch; 0: none. */
  readonly timeoutMs: number
}

/** One upstream. */
export interface UpstreamSettings {
  /** What `targets`, logs and headers call it; the host, where no file names it. */
  readonly name: string
  /** http(s), without a slash at its end. */
  readonly baseUrl: string
  /** Whose service it is, where that is certain: only then is a request's shape refused here. */
  readonly vendor: Vendor | undefined
  /**
   * Whose key it is spoken to with: one of `keys` (`server`), the caller's own (`caller`), none (`none`); or the caller's own
   * where it brings one and the server's else (`either`, which is what the environment alone means).
   */
  readonly auth: 'server' | 'caller' | 'none' | 'either'
  /** The server's keys with it; more than one is a pool. */
  readonly keys: readonly Secret[]
  /** What each of them is called where it must not be shown: its variable, or where it stands in the file. */
  readonly keyNames: readonly string[]
  /** Lower case. A key goes behind `Bearer ` in `authorization`, and alone in any other header. */
  readonly keyHeader: string
  /** `OpenAI-Organization` and `OpenAI-Project` are among them. Lower-case names; any value may be a key. */
  readonly headers: readonly SecretPair[]
  /** Parameters that each URL gets; any value may be a key. */
  readonly query: readonly SecretPair[]
  /**
   * The path behind the base URL for calls of a model (chat, completions, embeddings, images, audio), with `{model}` and
   * `{path}` in it, such as `/deployments/{model}{path}`; undefined: the caller's.
   */
  readonly modelPath: string | undefined
  readonly timeouts: Timeouts
  /** PEM text of the certificate authorities that it is trusted by. */
  readonly tlsCa: string | undefined
  /** URL of the proxy to reach it through, which may hold a password; `none`: directly; undefined: as the environment says. */
  readonly proxy: Secret | 'none' | undefined
  readonly concurrency: ConcurrencySettings | undefined
  readonly breaker: BreakerSettings
  /** Active checks, which may cost money: only where they are asked for. */
  readonly check: CheckSettings | undefined
  /** What its server is known to refuse, and is left out of its requests; undefined: nothing. */
  readonly lacks: Lacks | undefined
  /** Whether it answers for models that it does not list, or does not list those that can be asked for. */
  readonly servesAnyModel: boolean
  /** By which words it takes a cap on tokens; undefined: nothing is known, and all known words may be. */
  readonly capWords: CapWords | undefined
}

/** A header or a parameter of a query. */
export type SecretPair = readonly [name: string, value: Secret]

/** Time limits of one call; undefined: the next wider scope's (target's model, then upstream, then environment). */
export interface Timeouts {
  readonly firstByteMs: number | undefined
  readonly streamIdleMs: number | undefined
  readonly totalMs: number | undefined
}

/** How many calls an upstream gets at once, and how many more wait. */
export interface ConcurrencySettings {
  readonly max: number
  /** How many may wait. */
  readonly queue: number
  readonly queueMs: number
}

/** When a target is left alone for a while. */
export interface BreakerSettings {
  /** In a row; 0: never opens for that. */
  readonly failures: number
  /** Share of failures (0 to 1) within `windowMs`, where there were at least `minimum` calls; 0: never opens for that. */
  readonly rate: number
  readonly minimum: number
  readonly windowMs: number
  /** Times the number of openings in a row, at most `openMaxMs`. */
  readonly openMs: number
  readonly openMaxMs: number
}

/** A request that asks an upstream now and then how it is. */
export interface CheckSettings {
  /** Where it is looked for, one after the other, as the request targets that they are: until one is there. */
  readonly targets: readonly string[]
  readonly everyMs: number
  readonly timeoutMs: number
}

/** A name that callers use, and what stands behind it. */
export interface ModelSettings {
  /** May hold `*`, which stands for any characters. */
  readonly name: string
  /** At least one. */
  readonly targets: readonly TargetSettings[]
  readonly strategy: Strategy
  readonly resilience: ResilienceSettings
  /** Whether the answer's `model` is the upstream's, byte for byte, or the name that the caller used. */
  readonly reportModel: 'upstream' | 'alias'
}

/** How one target out of several is chosen first; the others follow as fallbacks. */
export type Strategy = 'order' | 'weighted' | 'round_robin' | 'least_busy' | 'affinity'

/** One upstream's model that answers for a name. */
export interface TargetSettings {
  readonly upstream: string
  /** The upstream's name for it, where `*` stands for what the name's first `*` stood for; undefined: as the caller wrote it. */
  readonly model: string | undefined
  readonly weight: number
  /** Lower ones first; those of equal order are chosen among by the strategy. */
  readonly order: number
}

/** How a request is sent: again, to whom else, and for how long. */
export interface ResilienceSettings {
  readonly retry: RetrySettings
  readonly hedge: HedgeSettings | undefined
  readonly timeouts: Timeouts
  /** Where all breakers are open: the least bad target is tried, or the request is refused (503 with `Retry-After`). */
  readonly allOpen: 'try' | 'refuse'
}

/** When a failed attempt is followed by another. */
export interface RetrySettings {
  /** All attempts of one request together, the first among them; 1: no other. */
  readonly attempts: number
  /** What is followed by another attempt. */
  readonly on: readonly RetryCause[]
  /** Back-off before the same target is asked again: a random time up to `baseMs` · 2ⁿ, at most `maxMs`. */
  readonly baseMs: number
  readonly maxMs: number
  /** A longer `Retry-After` is not waited for. */
  readonly retryAfterMaxMs: number
  /** Repeated attempts at the same target, in percent of the requests under way (at least 3 at once). */
  readonly budgetPercent: number
}

/**
 * Why an attempt failed: `connect` (no byte was sent), `timeout` (no first byte in time), `reset` (broken off before an
 * answer), `invalid` (no API answer), or a status of the upstream's.
 */
export type RetryCause = 'connect' | 'timeout' | 'reset' | 'invalid' | number

/** When a second target is asked although the first has not failed. */
export interface HedgeSettings {
  /** Of the target's own recent times to first byte (1 to 99). */
  readonly percentile: number
  /** Never before. */
  readonly minMs: number
  /** Hedges in percent of the requests under way (at least 1 at once). */
  readonly budgetPercent: number
}
