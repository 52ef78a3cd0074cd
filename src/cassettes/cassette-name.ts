import type { Sha256 } from '../formats/bytes/digest.ts'
import { isJsonObject } from '../formats/json/json.ts'
import type { CassetteRequest } from './cassette.ts'
import { readIgnored, requestKey } from './request-key.ts'

const NUMBER_DIGITS = 4
const WORDS_CHARS_MAX = 60
const HASH_DIGITS = 8

/**
 * Names the file of a cassette: its number, the endpoint, the model, and a hash that is the same for requests that are alike.
 *
 * @example
 * cassetteName(1, request, sha256) // '0001-chat.completions-gpt-4o-1a2b3c4d.json'
 */
export function cassetteName(number: number, request: CassetteRequest, sha256: Sha256): string {
  const { id } = requestKey(request, readIgnored())
  const hash = sha256(new TextEncoder().encode(id)).toHex().slice(0, HASH_DIGITS)
  const endpoint = request.path.replace(/^\/(?:v1\/)?/, '').replaceAll('/', '.')
  const model = modelOf(request)
  const words = [endpoint, ...(model === undefined ? [] : [model])].map(plain).filter((word) => word !== '')
  return `${[String(number).padStart(NUMBER_DIGITS, '0'), ...words, hash].join('-')}.json`
}

/**
 * The number at the beginning of a file's name; undefined: there is none.
 *
 * @example
 * cassetteNumber('0012-embeddings-1a2b3c4d.json') // 12
 */
export function cassetteNumber(name: string): number | undefined {
  const digits = /^(\d{1,9})-/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

function modelOf({ body }: CassetteRequest): string | undefined {
  const inForm = body?.parts?.find(({ name }) => name === 'model')?.text
  if (inForm !== undefined || !isJsonObject(body?.json)) return inForm
  const { model } = body.json
  return typeof model === 'string' ? model : undefined
}

/** Makes a word that every file system takes, and that looks neither like a hidden file nor like an option. */
function plain(word: string): string {
  return word
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[._-]+|[._-]+$/g, '')
    .slice(0, WORDS_CHARS_MAX)
}
