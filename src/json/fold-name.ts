/**
 * Gives a name as a parser sees it that takes names without regard to case, as Go's does: two names that come to the same are
 * one to an upstream written in Go (https://pkg.go.dev/encoding/json#Unmarshal).
 *
 * @example
 * const isModel = foldName('MODEL') === 'model'
 */
export function foldName(name: string): string {
  // Both ways: the long s has an s as its capital only, the sign for Kelvin a k as its small letter only.
  return isSmall(name) ? name : name.toUpperCase().toLowerCase()
}

/** Whether a name is of characters that have no other case, or are small: nearly all are, and a loop is cheaper than a pattern. */
function isSmall(name: string): boolean {
  for (let at = 0; at < name.length; at += 1) {
    const code = name.charCodeAt(at)
    if (code > 0x7f || (code >= 0x41 && code <= 0x5a)) return false
  }
  return true
}
