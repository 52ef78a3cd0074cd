import { toByteString } from '../formats/bytes/byte-string.ts'
import { decodeBody } from '../formats/bytes/decode-body.ts'
import { readParts } from '../formats/multipart/read-parts.ts'
import { isSecretName, isSecretParameter } from '../formats/secrets/secret-names.ts'
import { isSecretText } from '../formats/secrets/secrets-in-headers.ts'
import { BODY_BYTES_MAX } from './cassette.ts'
import { secretPlaces } from './named-values.ts'

/** A message with its whole body. */
export interface WholeMessage {
  readonly headers: Headers
  readonly body: Uint8Array
}

const DECODER = new TextDecoder()
/** How many times a value may be quoted within a string. */
const QUOTES_MAX = 4
/** An ordinary word. It is not masked elsewhere: stars over each `password` of a text would only spoil it. */
const WORD = /^[a-z]*$/

/**
 * Finds the secrets of a message by the names beside them, unescaped, so that other texts that repeat them can be searched, such as an
 * answer.
 *
 * @example
 * const secrets = await namedSecrets({ headers, body }, 'key=abcdefgh')
 */
export async function namedSecrets({ headers, body }: WholeMessage, query = ''): Promise<readonly string[]> {
  const type = headers.get('content-type') ?? ''
  const decoded = await decodeBody(new Uint8Array(body), headers.get('content-encoding'), BODY_BYTES_MAX)
  const plain = decoded instanceof Uint8Array ? decoded : new Uint8Array()
  const text = toByteString(plain)
  const found = secretPlaces(text).flatMap(({ start, end }) => formsOf(text.slice(start, end)))
  for (const [name, value] of new URLSearchParams(query)) if (isSecretParameter(name, value)) found.push(value)
  if (isUrlEncoded(type))
    for (const [name, value] of new URLSearchParams(DECODER.decode(plain))) {
      if (isSecretName(name)) found.push(value)
    }
  for (const { name, filename, content } of readParts(plain, type, { isStrict: false }) ?? []) {
    if (filename === undefined && isSecretName(name)) found.push(DECODER.decode(content))
  }
  return found.filter((one) => isSecretText(one) && !WORD.test(one))
}

/** The endpoints where OpenAI makes keys. Their answers hold them as the `value` of an object whose name does not tell. */
const MAKES_KEYS = /\/(?:client_secrets|sessions|transcription_sessions|api_keys|admin_api_keys)\/?$/
const VALUE = /"value"\s*:\s*"([^"\\]+)"/g

/**
 * The keys that an answer hands out, where its request asks for one.
 *
 * @example
 * const keys = madeKeys('/v1/realtime/client_secrets', answered)
 */
export function madeKeys(target: string, body: Uint8Array): readonly string[] {
  if (!MAKES_KEYS.test(target.split('?', 1)[0] ?? '')) return []
  return [...toByteString(body).matchAll(VALUE)].map(([, value = '']) => value)
}

/** Whether a body is written as a query is. */
export function isUrlEncoded(contentType: string): boolean {
  return /^application\/x-www-form-urlencoded\b/i.test(contentType.trim())
}

/** The forms of a value: as it is written, and without each level of quoting and the escapes of a URL. */
function formsOf(written: string): string[] {
  const forms = [written]
  for (let text = written; text.includes('\\') && forms.length <= QUOTES_MAX; ) {
    try {
      text = JSON.parse(`"${text}"`) as string
    } catch {
      break
    }
    forms.push(text)
  }
  if (written.includes('%')) {
    try {
      forms.push(decodeURIComponent(written))
    } catch {
      // The text is no percent-encoding.
    }
  }
  return forms
}
