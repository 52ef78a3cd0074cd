import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'
import { readTimeouts, type TimeoutRules } from './litellm-timeouts.ts'
import { durationOf, numberAt, sectionOf } from './litellm-values.ts'
import {
  GENERAL_SETTINGS,
  LITELLM_SETTINGS,
  memberPath,
  type NoteUntranslated,
  noteRest,
  ROUTER_SETTINGS,
  SECTIONS,
  UNNEEDED,
} from './untranslated.ts'

/** LiteLLM's default, which is that of OpenAI's SDK. */
const RETRIES_DEFAULT = 2
const ATTEMPTS_MAX = 10

/** The failures for which LiteLLM retries, and goes to a fallback. */
const RETRIED: readonly Json[] = ['connect', 'timeout', 'reset', 'invalid', 408, 409, 429, '5xx']

const SECTION_NAMES: ReadonlySet<string> = new Set([
  'environment_variables',
  'model_list',
  'litellm_settings',
  'router_settings',
  'general_settings',
])
const FROM_BOTH = ['num_retries', 'allowed_fails', 'cooldown_time', 'fallbacks', 'default_fallbacks']
const FROM_LITELLM: ReadonlySet<string> = new Set([...FROM_BOTH, 'request_timeout', 'cache', 'cache_params'])
const FROM_ROUTER: ReadonlySet<string> = new Set([
  ...[...FROM_BOTH, 'timeout', 'stream_timeout', 'routing_strategy', 'model_group_alias', 'disable_cooldowns'],
])

/** The routing of all models, unless one says otherwise. */
export interface Routing {
  /** The strategy of models with several targets. */
  readonly strategy: 'weighted' | 'least_busy'
  readonly attempts: number
  readonly timeouts: TimeoutRules
  /** The resulting sections of nexcode.yaml. */
  readonly keys: JsonObject
}

/**
 * Reads the sections beside `model_list`, and lists their untranslated settings.
 *
 * @example
 * const { strategy, keys } = readRouting(source, note)
 */
export function readRouting(source: JsonObject, note: NoteUntranslated): Routing {
  const router = sectionOf(source, 'router_settings')
  const litellm = sectionOf(source, 'litellm_settings')
  noteRest(source, SECTION_NAMES, '', SECTIONS, note)
  noteRest(litellm, FROM_LITELLM, 'litellm_settings', LITELLM_SETTINGS, note)
  noteRest(router, FROM_ROUTER, 'router_settings', ROUTER_SETTINGS, note)
  noteRest(sectionOf(source, 'general_settings'), new Set(), 'general_settings', GENERAL_SETTINGS, note)
  for (const name of SECTION_NAMES) {
    const section = source[name] ?? null
    if (name !== 'model_list' && section !== null && !isJsonObject(section)) note(name, 'is no section: it is left out')
  }

  const variables = Object.keys(sectionOf(source, 'environment_variables'))
  if (variables.length > 0) {
    note('environment_variables', `is not copied: set ${variables.join(', ')} in the environment where it is needed`)
  }

  const ofRouter = (key: string): number | undefined => numberAt(router, key, 'router_settings', note)
  const ofLitellm = (key: string): number | undefined => numberAt(litellm, key, 'litellm_settings', note)
  const both = (key: string): number | undefined => {
    const [first, second] = [ofRouter(key), ofLitellm(key)]
    if (first !== undefined && second !== undefined) {
      note(memberPath('litellm_settings', key), 'is passed over: the one of router_settings goes before it')
    }
    return first ?? second
  }
  const retries = both('num_retries')
  const attempts = attemptsFor(retries ?? RETRIES_DEFAULT, 'router_settings.num_retries', note)
  if (retries === RETRIES_DEFAULT) {
    const section = router['num_retries'] === undefined ? 'litellm_settings' : 'router_settings'
    note(memberPath(section, 'num_retries'), UNNEEDED)
  }
  const timeouts = readTimeouts(source, note)
  const breaker = breakerOf(both('allowed_fails'), both('cooldown_time'), router['disable_cooldowns'] === true)
  const cooldowns = router['disable_cooldowns'] ?? null
  if (cooldowns !== null && cooldowns !== true) {
    note(
      'router_settings.disable_cooldowns',
      cooldowns === false ? UNNEEDED : 'is neither true nor false: it is left out',
    )
  }
  for (const [section, { allowed_fails: fails, cooldown_time: time }] of Object.entries({
    router_settings: router,
    litellm_settings: litellm,
  })) {
    if (breaker !== false) continue
    if (fails !== undefined) note(memberPath(section, 'allowed_fails'), UNNEEDED)
    if (time !== undefined && time !== 0) note(memberPath(section, 'cooldown_time'), UNNEEDED)
  }
  return {
    strategy: strategyOf(router['routing_strategy'], note),
    attempts,
    timeouts,
    keys: {
      ...(timeouts.overall === undefined ? {} : { timeouts: timeouts.overall }),
      retry: { attempts, on: RETRIED },
      ...(breaker === undefined ? {} : { breaker }),
    },
  }
}

/** Gives the number of attempts, including the first. */
export function attemptsFor(retries: number, path: string, note: NoteUntranslated): number {
  if (retries + 1 > ATTEMPTS_MAX) note(path, `is more than there can be: ${ATTEMPTS_MAX} attempts are the most`)
  return Math.min(ATTEMPTS_MAX, Math.floor(retries) + 1)
}

function strategyOf(written: Json | undefined, note: NoteUntranslated): 'weighted' | 'least_busy' {
  const path = 'router_settings.routing_strategy'
  if (written === undefined || written === null || written === 'simple-shuffle') return 'weighted'
  if (written === 'least-busy') return 'least_busy'
  if (written === 'latency-based-routing') {
    note(path, 'is not there: least_busy is the nearest to it, since slow targets have more calls under way')
    return 'least_busy'
  }
  note(path, `${JSON.stringify(written)} is not there: weighted is taken`)
  return 'weighted'
}

/** Gives the breaker: LiteLLM counts failures in a minute, and one more than `allowed_fails` is too many. */
function breakerOf(
  allowedFails: number | undefined,
  cooldownSeconds: number | undefined,
  isDisabled: boolean,
): Json | undefined {
  if (isDisabled || cooldownSeconds === 0) {
    return false
  }
  if (allowedFails === undefined && cooldownSeconds === undefined) return undefined
  const open = cooldownSeconds === undefined ? undefined : durationOf(cooldownSeconds)
  return {
    ...(allowedFails === undefined ? {} : { failures: Math.min(10_000, Math.floor(allowedFails) + 1) }),
    ...(open === undefined ? {} : { open, open_max: open }),
  }
}
