import { SUBPROTOCOLS_HEADER, subprotocolKeys } from '../http/credential-headers.ts'
import { isSecretName } from './secret-names.ts'

/** A shorter text is no secret: stars over each `test` of a text would only spoil it. */
const SECRET_CHARS_MIN = 8

/** Whether a text is long enough to be a secret. */
export function isSecretText(text: string): boolean {
  return text.length >= SECRET_CHARS_MIN
}

/**
 * Gives the keys, tokens and cookies in the headers of a request or an answer, in each form in which they may be
 * repeated elsewhere.
 *
 * @example
 * const found = secretsOf(request.headers)
 */
export function secretsOf(headers: Headers): string[] {
  const found = new Set<string>()
  for (const [name, value] of headers) {
    if (name === SUBPROTOCOLS_HEADER) for (const key of subprotocolKeys(value)) found.add(key)
    if (isSecretName(name)) addValue(name, value, found)
  }
  return [...found].filter(isSecretText)
}

function addValue(name: string, value: string, found: Set<string>): void {
  if (name.endsWith('cookie')) {
    // A cookie's session is the value alone; its attributes follow.
    for (const pair of value.split(/[;,]/)) found.add(pair.slice(pair.indexOf('=') + 1).trim())
    return
  }
  const text = value.trim()
  found.add(text)
  const [, scheme = '', rest = ''] = /^(\S+)\s+(.*)$/s.exec(text) ?? []
  if (rest === '') return
  found.add(rest)
  if (scheme.toLowerCase() !== 'basic') return
  const pair = decodeBase64(rest)
  if (pair !== undefined) {
    found.add(pair)
    found.add(pair.slice(pair.indexOf(':') + 1))
  }
}

function decodeBase64(text: string): string | undefined {
  try {
    return atob(text)
  } catch {
    return undefined
  }
}
