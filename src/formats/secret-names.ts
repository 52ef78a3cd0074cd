/** Of names without their separators: what is in the name of a secret. */
const SECRET =
  /auth|passw|passphrase|secret|cookie|credential|signature|token|bearer|jwt|hmac|(?:api|access|private|sign|signing|shared|account|storage|service|subscription|functions?|host|master|admin|encryption|session|license|app|client|consumer|project|user|server|team|virtual|provider|openai|azure|google|anthropic)key/
/** Names that are one as a whole. */
const SECRET_WORDS: ReadonlySet<string> = new Set([
  ...[
    'key',
    'keys',
    'sig',
    'sid',
    'pass',
    'pwd',
    'pat',
    'pin',
    'otp',
    'session',
    'sessionid',
    'awsaccesskeyid',
    'keypairid',
    'code',
  ],
])
/** How many there are, and who has written something. */
const HARMLESS = /tokens$|^author(?:s|ed|name|id|role)?$|tokeni[sz]|^authority|tokentype|authtype|publickey|tokencount/

/** How often a name may be escaped. */
const ESCAPES_MAX = 3

/**
 * Whether a name says that its value is a secret: the name of a header, a parameter, a field of a form or a member, in any case, with any
 * separators or none, and however it is escaped (`api_key`, `apiKey`, `X-API-Key`, `%6Bey`, `\u006bey`).
 *
 * @example
 * isSecretName('X-Amz-Signature') // true
 */
export function isSecretName(name: string): boolean {
  const word = plainWord(name)
  return !HARMLESS.test(word) && (SECRET_WORDS.has(word) || SECRET.test(word))
}

/** A name without its escapes, its separators and its case. */
export function plainWord(name: string): string {
  let plain = name
  for (let times = 0; times < ESCAPES_MAX && /[%\\]/.test(plain); times += 1) {
    plain = plain.replace(/%([0-9a-f]{2})|\\+u([0-9a-f]{4})/gi, (_all, byte?: string, unit?: string) =>
      String.fromCharCode(Number.parseInt(byte ?? unit ?? '', 16)),
    )
  }
  return plain.toLowerCase().replace(/[^a-z0-9]/g, '')
}
