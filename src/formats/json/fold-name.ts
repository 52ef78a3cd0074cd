/**
 * All but letters, with their accents, and digits: conventions differ in the characters that join words, and in C a null byte ends a text.
 */
const BETWEEN = /\0.*$|[^\p{L}\p{M}\p{N}]+/gsu

/**
 * Gives a name as the most tolerant readers see it, so that two names become equal if some server may take them for one:
 * Go's parser does not look at case (https://pkg.go.dev/encoding/json#Unmarshal), the JSON of protocol buffers takes `max_tokens` and
 * `maxTokens` (https://protobuf.dev/programming-guides/json/), and PHP makes `max_tokens` of a form's `max.tokens`.
 *
 * @example
 * const isModel = foldName('MODEL') === 'model'
 */
export function foldName(name: string): string {
  // Both conversions are needed: the long s is an s only as a capital, and the Kelvin sign is a k only as a small letter.
  return isPlain(name) ? name : name.toUpperCase().toLowerCase().replace(BETWEEN, '')
}

/**
 * Whether a name folds to `folded`, which has small letters only. For most names the first letter decides, and nothing more is done.
 *
 * @example
 * const isModel = foldsTo('Model', 'model')
 */
export function foldsTo(name: string, folded: string): boolean {
  let at = 0
  while (at < name.length && name.charCodeAt(at) === folded.charCodeAt(at)) at += 1
  if (at === name.length) return at === folded.length
  return !isLetterOrDigit(name.charCodeAt(at)) && foldName(name) === folded
}

/** Whether a name has small letters and digits only. */
function isPlain(name: string): boolean {
  for (let at = 0; at < name.length; at += 1) if (!isLetterOrDigit(name.charCodeAt(at))) return false
  return true
}

/** Whether a character is one of those that folding leaves as they are. */
function isLetterOrDigit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39)
}
