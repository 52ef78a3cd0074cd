import { isJsonObject, type JsonObject } from '../formats/json/json.ts'

/** The reason why an upstream refuses a key: it is not valid (`refused`), or has nothing left to spend (`spent`). */
export type KeyRefusal = 'refused' | 'spent'

/** The statuses that may concern the key; the others never do. */
const STATUSES: ReadonlySet<number> = new Set([400, 401, 402, 403, 429])

/** The names of such an error in its `code`, `type`, `status` or `reason`. */
const KEY_CODE =
  /^(?:(?:invalid|incorrect|expired|revoked|disabled|blocked|unknown)_(?:api_)?key|(?:api_)?key_(?:invalid|expired|revoked|disabled|blocked|deleted|service_blocked)|(?:account|consumer)_(?:deactivated|disabled|suspended|terminated|invalid)|authentication_error|invalid_authentication)$/
const SPENT_CODE =
  /^(?:insufficient_(?:quota|balance|credits?)|billing_(?:hard_limit_reached|not_active)|payment_required)$/
/** The messages of such an error; only at their beginning, since the caller's own words may follow. */
const KEY_MESSAGE =
  /^(?:(?:incorrect|invalid|expired|revoked|disabled|unknown) (?:api |access )?key\b|(?:the |your |this )?(?:provided )?api[ -]?key (?:you provided |provided )?(?:is |was |has been |has )?(?:not valid|not found|invalid|incorrect|expired|revoked|disabled|deactivated|deleted|suspended|blocked|reported as leaked)\b)/i
/** The key is valid, but has no right to this request. */
const OTHER_RIGHTS =
  /insufficient permissions|missing scopes?|does not have access|session key|admin (?:api )?key|^missing_scopes?$|^insufficient_permissions?$/i
const OF_AN_ACCOUNT = /organi[sz]ation|project/i

/**
 * Whether an answer with a status may concern the key.
 *
 * @example
 * const needsReading = secret !== undefined && maySpeakOfKey(answer.status)
 */
export function maySpeakOfKey(status: number): boolean {
  return STATUSES.has(status)
}

/**
 * Gives the refusal of the key in an answer; undefined: the answer concerns something else, such as the caller's request.
 *
 * A 401 concerns the key, unless it says that the key has no right to just this, or concerns an organization or project
 * that the caller has named (`namesAccount`). Other statuses concern it if their words say so. `body` is the JSON of
 * the answer, in the forms of OpenAI, Anthropic, Google and those who follow them; undefined: it could not be read.
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

/** The codes of an error, in small letters, and its message. */
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
