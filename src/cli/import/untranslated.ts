import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'

/** A part of the source that the result does not have. */
export interface Untranslated {
  /** Its path in the source, such as `router_settings.redis_host`. */
  readonly path: string
  /** Why, and what to do instead; never a value that may be secret. */
  readonly why: string
}

/** The reason for a part that is not missed: it is switched off, or holds in any case. */
export const UNNEEDED = Symbol('unneeded')

/** Lists a part of the source as untranslated. */
export type NoteUntranslated = (path: string, why: string | typeof UNNEEDED) => void

/** Gives the path of a member: `a.b`, or `a["gpt-4.1"]` if the key is no plain word. */
export function memberPath(parent: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${parent}[${JSON.stringify(key)}]`
  return parent === '' ? key : `${parent}.${key}`
}

/** Reasons by patterns of settings' names: the first that fits counts. */
type Reasons = readonly (readonly [name: RegExp, why: string])[]

const CALLBACKS = 'is not there: the log has one line of JSON for each request (LOG_FORMAT=json)'
const CACHE = 'is not there: `cache` of the file keeps answers, see docs/caching.md'
const DATABASE = 'is not there: NexCode keeps no database; the keys of its callers are in API_TOKEN'
const GUARDRAILS = 'is not there: NexCode does not look into messages; `params` restricts the parameters of requests'
const PRICES = 'is not there: NexCode counts no costs and knows no budgets'
const KEYS = 'is not there: the keys of callers are in API_TOKEN, without users, teams and budgets'
const MINUTES =
  'is no limit there: it counts as a share of several targets only; `concurrency` bounds the calls at once'
const TAGS = 'is not there: targets are not chosen by tags'

const ANYWHERE: Reasons = [
  [/callback|^langfuse|logging|^store_prompts|^redact_|spend_logs/, CALLBACKS],
  [/cache/, CACHE],
  [/^redis/, 'is not there: instances share no state'],
  [/^database|_db$|^store_model_in_db|prisma/, DATABASE],
  [/guardrail|moderation|prompt_injection|pii/, GUARDRAILS],
  [/^mcp|mcp_/, 'is not there: NexCode is no MCP gateway'],
  [/budget|cost|spend|pric(?:e|ing)|margin|discount/, PRICES],
  [/^aws_|^vertex_|^watsonx_|^gcs_|^s3_/, 'is not there: it is of a provider that does not speak OpenAI’s protocol'],
]

/** Reasons for settings of `litellm_settings`. */
export const LITELLM_SETTINGS: Reasons = [
  [/^drop_params$/, 'is not there: name what is to be dropped in `params`, under `drop`, with `match.model`'],
  [/^(?:modify_params|add_function_to_prompt)$/, 'is not there: requests are changed by `params` alone'],
  [
    /^(?:context_window|content_policy)_fallbacks$/,
    'is not there: `retry.on` names the statuses that another target follows',
  ],
  [/^(?:set_verbose|debug)$/, 'is set by LOG_LEVEL=debug in the environment'],
  [/^json_logs$/, 'is set by LOG_FORMAT=json in the environment'],
  [
    /^ssl_verify$/,
    'is not there: certificates are always verified; `tls_ca` of an upstream names authorities of your own',
  ],
  [/^sse_keepalive/, 'is set by SSE_PING_MS in the environment'],
  [/^(?:telemetry|suppress_debug_info)$/, 'is not needed: NexCode sends nothing to anyone but the upstreams'],
  [/key_generate|key_generation|internal_user|team/, KEYS],
  ...ANYWHERE,
]

/** Reasons for settings of `router_settings`. */
export const ROUTER_SETTINGS: Reasons = [
  [
    /^(?:context_window|content_policy)_fallbacks$/,
    'is not there: `retry.on` names the statuses that another target follows',
  ],
  [/^max_fallbacks$/, 'is `retry.attempts`: each fallback is an attempt'],
  [/^default_litellm_params$/, 'is `defaults` in `params`'],
  [/^retry_after$/, 'is not there: the back-off is `retry.base`, and a Retry-After of the upstream’s is respected'],
  [/retry_policy$/, 'is not there: `retry.on` names what is followed by another attempt, with one number of attempts'],
  [/^allowed_fails_policy$/, 'is not there: `breaker` counts all failures alike'],
  [
    /^(?:enable_pre_call_checks|optional_pre_call_checks)$/,
    'is not there: context windows and limits of models are not known',
  ],
  [/tag/, TAGS],
  [/^routing_groups$/, 'is not there: set `strategy` and `order` of the models in question'],
  [/^routing_strategy_args$/, 'is not there: strategies have no arguments'],
  [/^(?:set_verbose|debug_level)$/, 'is set by LOG_LEVEL=debug in the environment'],
  ...ANYWHERE,
]

/** Reasons for settings of `general_settings`. */
export const GENERAL_SETTINGS: Reasons = [
  [
    /^master_key$/,
    'is not copied: set REQUIRE_AUTH=true, and API_TOKEN to a token of your callers’, in the environment',
  ],
  [
    /^(?:max_parallel_requests|global_max_parallel_requests|max_in_flight)/,
    'is set by MAX_IN_FLIGHT in the environment',
  ],
  [/^max_(?:request|file|batch_file)_size_mb$/, 'is set by MAX_JSON_BYTES and MAX_UPLOAD_BYTES in the environment'],
  [/health_check/, 'is `check` of an upstream'],
  [/^alert|slack/, 'is not there: watch the log and /health'],
  [/^(?:completion|image_generation)_model$/, 'is not there: OPENAI_MODEL is the model of requests that name none'],
  [/^enforce_user_param$/, 'is `require: [user]` in `params`'],
  [/^enforced_params$/, 'is `require` in `params`'],
  [/pass_through/, 'is not there: every path of OpenAI’s API goes to an upstream as it is'],
  [/auth|^public_routes|^allowed_routes|key_management|custom_key/, KEYS],
  ...ANYWHERE,
]

/** Reasons for parameters of a deployment. */
export const DEPLOYMENT: Reasons = [
  [/^(?:rpm|tpm|itpm|otpm)$|^default_api_key_/, MINUTES],
  [/^drop_params$|^additional_drop_params$/, 'is not there: name what is to be dropped in `params`, under `drop`'],
  [/^allowed_openai_params$/, 'is not needed: all parameters go on as they come'],
  [
    /^(?:azure_ad_token|tenant_id|client_id|client_secret|azure_)/,
    'is not there: for an Entra token set `key_header: authorization`, and the token as `api_key`',
  ],
  [/^cooldown_time$/, 'is `breaker.open` of the upstream'],
  [/timeout_by_service_tier$/, 'is not there: `timeouts` are the same for all tiers'],
  [/^litellm_credential_name$/, 'is not there: set `api_key` of the upstream'],
  [
    /^configurable_clientside_auth_params$/,
    'is not there: `auth: caller` of the upstream lets callers bring their keys',
  ],
  [/^keepalive/, 'is set by SSE_PING_MS in the environment'],
  [/^mock_/, 'is not there: `nexcode demo` answers without an upstream'],
  [/tag/, TAGS],
  [/router/, 'is not there: models are chosen by name'],
  [/^use_in_pass_through$/, 'is not needed: every path of OpenAI’s API goes to an upstream as it is'],
  ...ANYWHERE,
]

/** Reasons for whole sections. */
export const SECTIONS: Reasons = [
  [/^include$/, 'is not read: translate each file by itself, or put them together first'],
  [/^credential_list$/, 'is not copied: set `api_key` of each upstream'],
  ...ANYWHERE,
]

/** Lists the settings of a section that the result does not have; settings that are switched off are unneeded. */
export function noteRest(
  section: JsonObject,
  translated: ReadonlySet<string>,
  path: string,
  reasons: Reasons,
  note: NoteUntranslated,
): void {
  for (const [key, value] of Object.entries(section)) {
    if (!translated.has(key)) note(memberPath(path, key), isOff(key, value) ? UNNEEDED : reasonFor(key, reasons))
    else if (value === null) note(memberPath(path, key), UNNEEDED)
  }
}

/** Gives the reason why a setting is not translated. */
export function reasonFor(key: string, reasons: Reasons): string {
  return reasons.find(([name]) => name.test(key))?.[1] ?? 'is not known here'
}

function isOff(key: string, value: Json): boolean {
  if (key === 'ssl_verify') return value === true || value === null
  if (isJsonObject(value)) return Object.keys(value).length === 0
  return value === null || value === false || (Array.isArray(value) && value.length === 0)
}
