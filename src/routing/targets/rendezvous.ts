/** A text's hash: two words of 32 bits. */
export interface TextHash {
  readonly high: number
  readonly low: number
}

/**
 * Hashes a text. It is fast, the same in every process and release, and does not resist a search for collisions (after cyrb53,
 * over UTF-16 code units).
 */
export function hashOf(text: string): TextHash {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    high = Math.imul(high ^ unit, 2654435761)
    low = Math.imul(low ^ unit, 1597334677)
  }
  return { high: avalanche(high ^ (low >>> 15)), low: avalanche(low ^ (high >>> 13)) }
}

/**
 * Gives the number of a key and a node, between 0 and 1 and neither of them. Over many keys the numbers are spread evenly, and
 * independently for each node: sorting nodes by them (rendezvous hashing) gives each key its own lasting order of nodes.
 */
export function meetingPoint(key: TextHash, node: TextHash): number {
  const low = avalanche(key.low ^ node.low)
  const high = avalanche(key.high ^ Math.imul(node.high, 0x9e3779b1) ^ low)
  // The 53 bits that a number holds.
  return (high * 2 ** 21 + (low >>> 11) + 0.5) / 2 ** 53
}

/** Lets each bit of a word change half of the others (the end of MurmurHash3). */
function avalanche(word: number): number {
  const once = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return (twice ^ (twice >>> 16)) >>> 0
}
