/** The access that the answer to a request gives to a caller, past this server. */
export type Gift = 'key' | 'session' | 'any_key'

/** Sessions for a voice, whose keys are good for sessions only; Azure has them below `realtimeapi`. */
const SESSION_KEYS =
  /^(?:(?:realtime|realtimeapi|live)\/(?:[^/]+\/)*(?:client_secrets|sessions|transcription_sessions|translation_sessions)|chatkit\/sessions)$/
/** A call between the caller's browser, or a telephone, and the upstream itself. */
const SESSIONS = /^realtime\/calls(?:\/[^/]+\/accept)?$/
/** Keys that are good for anything, and tokens for browsers: OpenAI's own administration, and those of other vendors and gateways. */
const KEYS =
  /(?:^|\/)(?:admin_api_keys|api_?keys|service_accounts|auth_tokens|ephemeral_tokens|realtime\/token|auth\/(?:keys|grant)|key\/(?:[^/]+\/)?(?:re)?generate)$|^keys$/

/**
 * Gives the access that the answer to a POST gives its caller past this server: a `key` for sessions, a `session` of their own, `any_key`;
 * undefined: none. `endpoint` is the path below `/v1/` (OpenAI specification: realtime, chatkit, administration).
 *
 * @example
 * giftOf('realtime/client_secrets') // 'key'
 */
export function giftOf(endpoint: string): Gift | undefined {
  if (SESSION_KEYS.test(endpoint)) return 'key'
  if (SESSIONS.test(endpoint)) return 'session'
  return KEYS.test(endpoint) ? 'any_key' : undefined
}
