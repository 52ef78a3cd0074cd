import { foldName } from '../formats/json/fold-name.ts'
import type { Names } from './name-tree.ts'

/** Parameters that are as good below zero as above it, as `foldName` gives their names. */
const SIGNED: ReadonlySet<string> = new Set(['frequencypenalty', 'presencepenalty', 'logitbias', 'seed'])

/**
 * The least number that is held by a maximum: below it many servers take one for "no limit" (`-1`), so that a range without a
 * minimum of its own does not let it pass. `isCount`: it is how many of something there are, of which none is none either.
 *
 * @example
 * leastNumber(['top_logprobs'], false) // 0
 */
export function leastNumber(names: Names, isCount: boolean): number {
  if (names.some((name) => SIGNED.has(foldName(name)))) return -Infinity
  return isCount ? 1 : 0
}
