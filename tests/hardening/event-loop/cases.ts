import { comparedBodies } from './compared-bodies.ts'
import { floods } from './floods.ts'
import { largeAnswers } from './large-answers.ts'
import type { LoopCase } from './loop-case.ts'
import { readByExtensions } from './read-by-extensions.ts'

/**
 * All cases beside the bombs; `mib`: about how large they are.
 *
 * @example
 * const cases = makeCases(48)
 */
export function makeCases(mib: number): readonly LoopCase[] {
  return [...comparedBodies(mib), ...largeAnswers(mib), ...readByExtensions(mib), ...floods(mib)]
}
