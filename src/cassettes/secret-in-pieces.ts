import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { type ExactJson, isExactObject, parseExact } from '../formats/json/exact.ts'
import type { Scrub } from './scrub.ts'

const UTF_8 = new TextEncoder()
const DECODER = new TextDecoder()

/**
 * Whether the events of a stream spell a secret together that none of them has in it as a whole: a model that repeats a key
 * gives it token by token.
 *
 * @example
 * hasSecretInPieces(utf8('data: {"delta":"the-key-"}\n\ndata: {"delta":"of-me"}\n\n'), createScrub(['the-key-of-me']))
 */
export function hasSecretInPieces(stream: Uint8Array, scrub: Scrub): boolean {
  const texts = new Map<string, string[]>()
  for (const line of DECODER.decode(stream).split(/\r\n|\r|\n/)) {
    if (!line.startsWith('data:')) continue
    const value = parseExact(line.slice('data:'.length).trim())
    if (value !== undefined) gather(value, '', texts)
  }
  return texts.values().some((pieces) => reachesAcross(pieces, scrub))
}

/** Adds the strings of a value to those that earlier events had in the same places. */
function gather(value: ExactJson, path: string, texts: Map<string, string[]>): void {
  if (typeof value === 'string') {
    const pieces = texts.get(path)
    if (pieces === undefined) texts.set(path, [value])
    else pieces.push(value)
  } else if (Array.isArray(value)) for (const [index, item] of value.entries()) gather(item, `${path}/${index}`, texts)
  else if (isExactObject(value)) {
    for (const [name, item] of Object.entries(value)) gather(item, `${path}/${name}`, texts)
  }
}

/** Whether stars over all pieces as one text cover something that stars over each of them do not. */
function reachesAcross(texts: readonly string[], scrub: Scrub): boolean {
  const pieces = texts.map((text) => UTF_8.encode(text))
  const whole = joinBytes(pieces)
  const masked = scrub.known(whole)
  if (masked === whole) return false
  const apart = joinBytes(pieces.map(scrub.known))
  return masked.some((byte, index) => byte !== whole[index] && apart[index] === whole[index])
}
