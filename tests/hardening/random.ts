/** Random numbers that come out the same for the same seed and label. */
export interface Random {
  /** From 0 to below `max`, whole. */
  readonly below: (max: number) => number
  /** One of them; throws where there is none. */
  readonly pick: <T>(items: readonly T[]) => T
  /** True in so many of a hundred. */
  readonly percent: (chance: number) => boolean
}

/**
 * Makes the random numbers of one case: its seed and its id determine them, whatever ran before.
 *
 * @example
 * const random = createRandom(seed, 'mutation-17')
 */
export function createRandom(seed: number, label: string): Random {
  // FNV-1a over the label, then mulberry32.
  let state = seed ^ 0x811c9dc5
  for (let at = 0; at < label.length; at += 1) state = Math.imul(state ^ label.charCodeAt(at), 0x01000193)
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (max: number): number => Math.floor(next() * max)
  return {
    below,
    percent: (chance) => below(100) < chance,
    pick(items) {
      if (items.length === 0) throw new Error('There is nothing to pick from.')
      return items[below(items.length)] as (typeof items)[number]
    },
  }
}
