/** All but letters, with their accents, and digits: what joins words differs from one convention to the next, and to C a null byte is the end. */
const BETWEEN = /\0.*$|[^\p{L}\p{M}\p{N}]+/gsu

/**
 * Gives a name as the most tolerant readers see it, so that two names come to the same where some server may take them for one:
 * Go's parser does not look at case (https://pkg.go.dev/encoding/json#Unmarshal), the JSON of protocol buffers takes `max_tokens` and
 * `maxTokens` (https://protobuf.dev/programming-guides/json/), and PHP makes `max_tokens` of a form's `max.tokens`.
 *
 * @example
 * const isModel = foldName('MODEL') === 'model'
 */
export function foldName(name: string): string {
  // Both ways: the long s has an s as its capital only, the sign for Kelvin a k as its small letter only.
  return isPlain(name) ? name : name.toUpperCase().toLowerCase().replace(BETWEEN, '')
}

/**
 * Whether a name comes to `folded`, which is of small letters only. Most do not by their first letter, and cost no more.
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

/** Whether a name is of small letters and digits only. */
function isPlain(name: string): boolean {
  for (let at = 0; at < name.length; at += 1) if (!isLetterOrDigit(name.charCodeAt(at))) return false
  return true
}

/** Of those that stay as they are. */
function isLetterOrDigit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39)
}
