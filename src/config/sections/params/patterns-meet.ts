/**
 * Whether there is a text that two patterns both fit, in which `*` stands for any characters.
 *
 * @example
 * patternsMeet('gpt-*', '*-mini') // true
 */
export function patternsMeet(one: string, other: string): boolean {
  // The positions in `other` that can be reached once so much of `one` is matched.
  let reached = new Set([0])
  const spread = (from: Set<number>): Set<number> => {
    for (const at of from) if (other[at] === '*') from.add(at + 1)
    return from
  }
  reached = spread(reached)
  for (const char of one) {
    const next = new Set<number>()
    for (const at of reached) {
      // A star takes what the other side has, and stays.
      if (other[at] === '*') next.add(at)
      if (char === '*') for (let to = at; to <= other.length; to += 1) next.add(to)
      else if (other[at] === char) next.add(at + 1)
    }
    reached = spread(next)
  }
  return reached.has(other.length)
}
