/** The words in the names of secrets; names are compared without their separators. */
const SECRET =
  /auth|passw|passphrase|secret|connectionstring|cookie|credential|signature|token|bearer|jwt|hmac|(?:api|access|private|sign|signing|shared|account|storage|service|subscription|functions?|host|master|admin|encryption|session|license|app|client|consumer|project|user|server|team|virtual|provider|openai|azure|google|anthropic)keys?$/
/** Names that are a secret's only as a whole. */
const SECRET_WORDS: ReadonlySet<string> = new Set([
  ...['key', 'keys', 'sig', 'sid', 'pass', 'pwd', 'pat', 'session', 'sessionid', 'awsaccesskeyid', 'keypairid'],
])
/** Names that tell a number of tokens, an author, or a fact about a secret: where it is asked for, of which kind it is. */
const HARMLESS =
  /^author(?:s|ed|name|id|role)?$|tokeni[sz]|^authority|publickey|(?:url|uri|endpoint|type|method|scheme|provider|mode|required|enabled|count|limit|budget)$|(?<!api|access|auth|refresh|bearer|secret|session|id|personal)tokens$/
/** In a JSON value or in prose these are mostly something else: a filter's `key`, a log probability's `token`. */
const AMBIGUOUS: ReadonlySet<string> = new Set([
  ...['key', 'keys', 'sid', 'pass', 'pat', 'session', 'sessionid', 'token', 'auth', 'authentication'],
])

/** Names of one-time or single-purpose secrets in a URL; elsewhere a `code` is an error's. */
const ONCE: ReadonlySet<string> = new Set(['code', 'ticket', 'otp', 'sas'])

/** How often a name may be escaped. */
const ESCAPES_MAX = 3

/**
 * Whether a name says that its value is a secret: the name of a header, a parameter or a field of a form, in any case, with any
 * separators or none, and however it is escaped (`api_key`, `apiKey`, `X-API-Key`, `%6Bey`, `\u006bey`).
 *
 * @example
 * isSecretName('X-Amz-Signature') // true
 */
export function isSecretName(name: string): boolean {
  const word = plainWord(name)
  return !HARMLESS.test(word) && (SECRET_WORDS.has(word) || SECRET.test(word))
}

/**
 * Whether a value is a secret by its name, where names may mean something else: the name of a JSON member, or one in prose or code.
 *
 * @example
 * isSecretMember('key', 'region') // false
 */
export function isSecretMember(name: string, value: string): boolean {
  if (!isSecretName(name)) return false
  const word = plainWord(name)
  // The signature of a model's thoughts has to be sent back to it.
  if (word.endsWith('signature')) return false
  return !AMBIGUOUS.has(word) || looksSecret(value)
}

/**
 * Whether a value is a secret by its name in a query.
 *
 * @example
 * isSecretParameter('code', '4/0AX4XfWh2k9') // true
 */
export function isSecretParameter(name: string, value: string): boolean {
  return isSecretName(name) || (ONCE.has(plainWord(name)) && looksSecret(value))
}

/** Whether a text looks random: no words, but digits among letters. */
export function looksSecret(text: string): boolean {
  if (!/^[\x21-\x7e]{16,}$/.test(text)) return false
  const digits = text.match(/\d/g)?.length ?? 0
  return digits >= 4 || (digits > 0 && /[a-z]/.test(text) && /[A-Z]/.test(text))
}

/** A name without its escapes, its separators and its case. */
function plainWord(name: string): string {
  let plain = name
  for (let times = 0; times < ESCAPES_MAX && /[%\\]/.test(plain); times += 1) {
    plain = plain.replace(/%([0-9a-f]{2})|\\+u([0-9a-f]{4})/gi, (_all, byte?: string, unit?: string) =>
      String.fromCharCode(Number.parseInt(byte ?? unit ?? '', 16)),
    )
  }
  return plain.toLowerCase().replace(/[^a-z0-9]/g, '')
}
