import type { FilePrice } from '../pricing/price.ts'
import type { CacheSettings } from './sections/cache.ts'
import type { ExtensionSettings } from './sections/extensions.ts'
import type { IdempotencySettings } from './sections/idempotency.ts'
import type { LedgerSettings } from './sections/ledger.ts'
import type { ModelSettings, UnknownModels } from './sections/models.ts'
import type { ParamRule } from './sections/params/param-rule.ts'
import type { PinSettings } from './sections/pins.ts'
import type { DeclaredRecords } from './sections/projects.ts'
import type { ResilienceSettings } from './sections/resilience.ts'
import type { UpstreamSettings } from './sections/upstreams/upstream.ts'

/**
 * The settings of requests (their targets, parameters, cache, extensions): the checked content of `nexcode.yaml`, with all defaults
 * filled in, or the environment alone. Plain data but for its secrets, deeply frozen: it crosses to worker processes by
 * `openSecrets`.
 *
 * Milliseconds of 0 mean: no limit.
 */
export interface Settings {
  /** Whether there is a file; without one there is one upstream, no model and no rule. */
  readonly hasFile: boolean
  /** At least one. */
  readonly upstreams: readonly UpstreamSettings[]
  /** The name of the upstream for requests that no model and no pin decides. */
  readonly defaultUpstream: string
  /** In the order of the file. */
  readonly models: readonly ModelSettings[]
  readonly unknownModels: UnknownModels
  /** Of requests that no entry of `models` decides. */
  readonly resilience: ResilienceSettings
  readonly params: readonly ParamRule[]
  /** The upstream that holds the objects of a stateful resource, by its first path segment (`files`, `batches`, …). */
  readonly pins: Readonly<Record<string, PinSettings>>
  /** What models cost, in the order of the file; all others cost what the table says that NexCode comes with. */
  readonly prices: readonly FilePrice[]
  readonly debugHeaders: boolean
  readonly cache: CacheSettings
  /** The user's own logic, in the order in which a request meets it. */
  readonly extensions: readonly ExtensionSettings[]
  readonly idempotency: IdempotencySettings
  readonly ledger: LedgerSettings
  /** The projects and keys of the ledger that the file declares. */
  readonly records: DeclaredRecords
  /** Whether the SDKs' own timeouts (`x-stainless-timeout`, `x-stainless-read-timeout`) end a request here, too. */
  readonly clientDeadline: boolean
}
