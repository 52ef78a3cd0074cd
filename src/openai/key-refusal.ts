import { isJsonObject, type JsonObject } from '../formats/json/json.ts'

/** What an upstream says of the key that it was asked with: that it is not good (`refused`), or has nothing left to spend. */
export type KeyRefusal = 'refused' | 'spent'

/** The statuses that may say something about the key; the others never do. */
const STATUSES: ReadonlySet<number> = new Set([400, 401, 402, 403, 429])

/** What APIs call it, in the error's `code`, `type`, `status` or `reason`. */
const KEY_CODE =
  /^(?:(?:invalid|incorrect|expired|revoked|disabled|blocked|unknown)_(?:api_)?key|(?:api_)?key_(?:invalid|expired|revoked|disabled|blocked|deleted|service_blocked)|(?:account|consumer)_(?:deactivated|disabled|suspended|terminated|invalid)|authentication_error|invalid_authentication)$/
const SPENT_CODE =
  /^(?:insufficient_(?:quota|balance|credits?)|billing_(?:hard_limit_reached|not_active)|payment_required)$/
/** What they say of it; only at the beginning of a message, since further on it may be the caller's own words. */
const KEY_MESSAGE =
  /^(?:(?:incorrect|invalid|expired|revoked|disabled|unknown) (?:api |access )?key\b|(?:the |your |this )?(?:provided )?api[ -]?key (?:you provided |provided )?(?:is |was |has been |has )?(?:not valid|not found|invalid|incorrect|expired|revoked|disabled|deactivated|deleted|suspended|blocked|reported as leaked)\b)/i
/** The key is good, but not for this: what the caller asks for. */
const OTHER_RIGHTS =
  /insufficient permissions|missing scopes?|does not have access|session key|admin (?:api )?key|^missing_scopes?$|^insufficient_permissions?$/i
const OF_AN_ACCOUNT = /organi[sz]ation|project/i

/**
 * Whether a status is one with which an upstream may speak of the key.
 *
 * @example
 * const needsReading = secret !== undefined && maySpeakOfKey(answer.status)
 */
export function maySpeakOfKey(status: number): boolean {
  return STATUSES.has(status)
}

/**
 * What an answer says of the key that was spent; undefined: it speaks of something else, such as the caller's request.
 *
 * A 401 speaks of the key, unless it says that the key has no right to just this, or speaks of an organization or project
 * that the caller has named (`namesAccount`). Other statuses speak of it where they say so in words. `body` is the JSON of
 * the answer, in the forms of OpenAI, Anthropic, Google and those who follow them; undefined: none could be read.
 *
 * @example
 * const refusal = keyRefusalOf(answer.status, value, { namesAccount: false })
 */
export function keyRefusalOf(
  status: number,
  body: unknown,
  { namesAccount }: { readonly namesAccount: boolean },
): KeyRefusal | undefined {
  if (!maySpeakOfKey(status)) return undefined
  const { codes, message } = wordsOf(body)
  const saysCode = (pattern: RegExp): boolean => codes.some((code) => pattern.test(code))
  if (status === 402 || (status === 429 && saysCode(SPENT_CODE))) return 'spent'
  if (status === 429 || OTHER_RIGHTS.test(message) || saysCode(OTHER_RIGHTS)) return undefined
  if (namesAccount && (OF_AN_ACCOUNT.test(message) || saysCode(OF_AN_ACCOUNT))) return undefined
  if (status === 401 || saysCode(KEY_CODE)) return 'refused'
  return KEY_MESSAGE.test(message) ? 'refused' : undefined
}

/** What an error says: in small letters, whatever it calls it, and to people. */
function wordsOf(body: unknown): { readonly codes: readonly string[]; readonly message: string } {
  // Google's API wraps its errors in a list.
  const outer = Array.isArray(body) ? (body[0] as unknown) : body
  if (!isJsonObject(outer)) return { codes: [], message: '' }
  const error = isJsonObject(outer['error']) ? outer['error'] : outer
  const reasons = Array.isArray(error['details']) ? error['details'].filter(isJsonObject).map(reasonOf) : []
  const codes = [error['code'], error['type'], error['status'], ...reasons].filter((word) => typeof word === 'string')
  const said = [error['message'], outer['error'], outer['detail']].find((word) => typeof word === 'string')
  return { codes: codes.map((code) => code.toLowerCase()), message: typeof said === 'string' ? said : '' }
}

function reasonOf({ reason }: JsonObject): unknown {
  return reason
}
