import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { type ExactJson, isExactObject, parseExact } from '../formats/json/exact.ts'
import { eventEndsOf } from '../formats/sse/event-ends.ts'
import { parseEvent } from '../formats/sse/parse-event.ts'
import type { Scrub } from './scrub.ts'

const UTF_8 = new TextEncoder()

/**
 * Whether the events of a stream together spell a secret that no single event holds. A model that repeats a key sends it token by token.
 *
 * @example
 * hasSecretInPieces(utf8('data: {"delta":"the-key-"}\n\ndata: {"delta":"of-me"}\n\n'), createScrub(['the-key-of-me']))
 */
export function hasSecretInPieces(stream: Uint8Array, scrub: Scrub): boolean {
  const texts = new Map<string, string[]>()
  let from = 0
  for (const end of eventEndsOf(stream)) {
    const { data = '' } = parseEvent(stream.subarray(from, end), from === 0)
    from = end
    for (const value of valuesOf(data)) gather(value, '', texts)
  }
  return texts.values().some((pieces) => reachesAcross(pieces, scrub))
}

/** The JSON of an event; also of each of its lines, since some servers leave out the blank lines between events. */
function valuesOf(data: string): readonly ExactJson[] {
  const whole = parseExact(data)
  return whole === undefined ? data.split('\n').flatMap((line) => parseExact(line) ?? []) : [whole]
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
