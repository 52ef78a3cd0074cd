import { Type } from '@sinclair/typebox'
import { closed, HIDDEN, optional, text, words } from '../../file/schema/fields.ts'
import type { CapWords } from '../../providers/cap-words.ts'
import { PRESETS } from '../../providers/presets.ts'
import type { Lacks } from '../../providers/server-facts.ts'
import type { StreamUsage } from '../../providers/stream-usage.ts'
import type { Vendor } from '../../providers/vendor.ts'
import type { Secret } from '../../secret.ts'
import { BreakerSection, type BreakerSettings } from '../breaker.ts'
import { type Timeouts, TimeoutsSection } from '../timeouts.ts'
import { CHECK_FIELDS, type CheckSettings } from './check.ts'
import { CONCURRENCY_FIELDS, type ConcurrencySettings } from './concurrency.ts'
import { ACCOUNT_FIELDS, HEADERS_FIELDS, type SecretPair } from './headers.ts'
import { AUTH_FIELDS, type UpstreamKeys } from './keys.ts'

/** One upstream. */
export interface UpstreamSettings extends UpstreamKeys {
  /** Its name in `targets`, logs and headers; the host, where no file names it. */
  readonly name: string
  /** http(s), without a slash at its end. */
  readonly baseUrl: string
  /** The vendor, where it is certain: only then are requests of a wrong shape refused here. */
  readonly vendor: Vendor | undefined
  /** The provider whose prices hold: the preset, or by the host; undefined: unknown. */
  readonly provider: string | undefined
  /** Lower case. A key goes behind `Bearer ` in `authorization`, and alone in any other header. */
  readonly keyHeader: string
  /** The same for requests in Anthropic's protocol. */
  readonly anthropicKeyHeader: string
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
  /** Active checks, which may cost money: undefined unless they are configured. */
  readonly check: CheckSettings | undefined
  /** The parameters and values that its server is known to refuse, which are left out of its requests; undefined: none. */
  readonly lacks: Lacks | undefined
  /** Whether it answers for models that it does not list, or does not list those that can be asked for. */
  readonly servesAnyModel: boolean
  /** The words by which it takes a cap on tokens; undefined: unknown, so that all known words count. */
  readonly capWords: CapWords | undefined
  /** When it tells the usage of a stream. */
  readonly streamUsage: StreamUsage
}

/** One entry of `upstreams`. */
export const UpstreamEntry = closed('upstream', {
  preset: optional(words(PRESETS.keys()), 'A provider whose base URL, key header, path and query are known.', {
    examples: ['openai'],
  }),
  base_url: optional(Type.String(), 'The base of its URLs, http or https, up to and including /v1 where it has that.', {
    'x-default': "the preset's",
    examples: ['http://127.0.0.1:11434/v1'],
  }),
  ...AUTH_FIELDS,
  ...HEADERS_FIELDS,
  path: optional(text(), 'The path behind the base URL for calls of a model, with {model} and {path} in it.', {
    'x-default': "the preset's, else the caller's",
    examples: ['/deployments/{model}{path}'],
  }),
  ...ACCOUNT_FIELDS,
  timeouts: optional(TimeoutsSection, "Time limits of its calls; a model's go first, the top level's come after."),
  tls_ca: optional(text(), 'A file of certificate authorities (PEM) that it is trusted by, as seen from this file.', {
    examples: ['./ca.pem'],
  }),
  proxy: optional(Type.String(HIDDEN), 'URL of the proxy to reach it through; none: directly.', {
    'x-default': 'as the environment says',
    examples: ['http://proxy:3128'],
  }),
  ...CONCURRENCY_FIELDS,
  breaker: optional(
    BreakerSection,
    "When its targets are left alone for a while; what is not said is the top level's.",
  ),
  fit_params: optional(
    Type.Boolean(),
    'Whether parameters that the server of the preset is known to refuse are left out.',
    { default: true },
  ),
  include_usage: optional(
    Type.Boolean(),
    'Whether a stream that is metered may be asked for its usage, where its caller has not asked (`stream_options.include_usage`).',
    { 'x-default': "as the preset's server takes it, else true" },
  ),
  ...CHECK_FIELDS,
})
