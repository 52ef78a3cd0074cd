/** What a name means. */
export interface NameMatch<T> {
  readonly entry: T
  /** What the entry's `*` stands for. */
  readonly star: string
}

/** A name with `*` in it. */
interface Pattern<T> {
  readonly entry: T
  readonly prefix: string
  readonly suffix: string
}

/**
 * Makes the function that finds the entry that a name means: of those whose `*` can stand for what is left of it, the one
 * with the longest text around the `*`, the first of equal ones. A name has one `*` at most; entries without are passed over.
 */
export function createWildcardMatcher<T extends { readonly name: string }>(
  entries: readonly T[],
): (name: string) => NameMatch<T> | undefined {
  const patterns = entries
    .filter(({ name }) => isWildcard(name))
    .map((entry): Pattern<T> => {
      const star = entry.name.indexOf('*')
      return { entry, prefix: entry.name.slice(0, star), suffix: entry.name.slice(star + 1) }
    })
    .sort((left, right) => lengthOf(right) - lengthOf(left))
  return (name) => {
    const pattern = patterns.find((one) => fits(one, name))
    if (pattern === undefined) return undefined
    return { entry: pattern.entry, star: name.slice(pattern.prefix.length, name.length - pattern.suffix.length) }
  }
}

/** Whether a name stands for many. */
export function isWildcard(name: string): boolean {
  return name.includes('*')
}

function lengthOf({ prefix, suffix }: Pattern<unknown>): number {
  return prefix.length + suffix.length
}

function fits(pattern: Pattern<unknown>, name: string): boolean {
  return name.length >= lengthOf(pattern) && name.startsWith(pattern.prefix) && name.endsWith(pattern.suffix)
}
