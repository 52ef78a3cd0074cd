import { starIn, type Wildcard, wildcardOf } from '../../formats/text/wildcards.ts'

/** The entry that a name fits. */
export interface NameMatch<T> {
  readonly entry: T
  /** The text that the entry's `*` stands for. */
  readonly star: string
}

/**
 * Makes the function that finds the wildcard entry for a name: of all that fit, the one with the longest text around its `*`, and of equal
 * ones the first. Entries without `*` are ignored.
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
