/** A list of at most this many words helps a reader; nobody reads a longer one. */
const LISTED_MAX = 12

/**
 * The advice for a word that is not in a list: the word that was probably meant, else the whole list,
 * else `otherwise`.
 */
export function suggest(word: string, words: readonly string[], otherwise: string): string {
  const meant = nearest(word, words)
  if (meant !== undefined) return `Did you mean "${meant}"?`
  return words.length > 0 && words.length <= LISTED_MAX ? `Known here: ${words.join(', ')}.` : otherwise
}

/** The word that another one is a misspelling of: at most a third of its letters are wrong. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const plain = simplify(word)
  const ranked = words
    .map((candidate) => ({ candidate, distance: distance(plain, simplify(candidate)) }))
    .filter((one) => one.distance <= Math.max(word.length, one.candidate.length) / 3)
    .toSorted((one, other) => one.distance - other.distance)
  return ranked[0]?.candidate
}

/** `apiKey`, `api-key` and `API_KEY` are one word to a person. */
function simplify(word: string): string {
  return word.replace(/[-_\s]/g, '').toLowerCase()
}

/**
 * The number of letters that have to be added, left out, exchanged or swapped with their neighbour to make one word another
 * (Damerau and Levenshtein's distance, each place changed once at most).
 */
export function distance(one: string, other: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1]
      const isSwap = row > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current.push(
        Math.min(
          at(last, column) + 1,
          at(current, column - 1) + 1,
          at(last, column - 1) + (isSame ? 0 : 1),
          isSwap ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    beforeLast = last
    last = current
  }
  return at(last, other.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
