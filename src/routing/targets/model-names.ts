import { starIn, type Wildcard, wildcardOf } from '../../formats/text/wildcards.ts'

/** What a name means. */
export interface NameMatch<T> {
  readonly entry: T
  /** What the entry's `*` stands for. */
  readonly star: string
}

/**
 * Makes the function that finds the entry that a name means: of those whose `*` can stand for what is left of it, the one
 * with the longest text around the `*`, the first of equal ones. A name has one `*` at most; entries without are passed over.
 */
export function createWildcardMatcher<T extends { readonly name: string }>(
  entries: readonly T[],
): (name: string) => NameMatch<T> | undefined {
  const patterns = entries
    .flatMap((entry) => {
      const wildcard = wildcardOf(entry.name)
      return wildcard === undefined ? [] : [{ entry, wildcard }]
    })
    .sort((left, right) => lengthOf(right.wildcard) - lengthOf(left.wildcard))
  return (name) => {
    for (const { entry, wildcard } of patterns) {
      const star = starIn(wildcard, name)
      if (star !== undefined) return { entry, star }
    }
    return undefined
  }
}

function lengthOf({ prefix, suffix }: Wildcard): number {
  return prefix.length + suffix.length
}
