/**
 * Gives a name as a parser sees it that takes names without regard to case, as Go's does: two names that come to the same are
 * one to an upstream written in Go (https://pkg.go.dev/encoding/json#Unmarshal).
 *
 * @example
 * const isModel = foldName('MODEL') === 'model'
 */
export function foldName(name: string): string {
  // Both ways: the long s has an s as its capital only, the sign for Kelvin a k as its small letter only.
  return /[^a-z\d_.-]/.test(name) ? name.toUpperCase().toLowerCase() : name
}
