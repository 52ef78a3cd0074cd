import { memoize } from '../formats/bounded-memo.ts'
import { compilePatterns } from '../formats/text/wildcards.ts'
import { ApiError } from '../openai/api-error.ts'
import { shownName } from '../openai/model-not-found.ts'

/** Throws `model_not_found` for a name that some server may take for another model's. */
export type AssertSpelling = (model: string) => void

/** The memo is bounded because callers choose names. */
const REMEMBERED = { entriesMax: 1000, keyCharsMax: 256 } as const

/**
 * Makes the function that refuses names which differ from a known one only in case, blanks or Unicode's compatibility forms. Such a
 * name would escape the rules of the known one, and a server that compares names less strictly would answer as that model. A known
 * name passes.
 *
 * `known`: the names and patterns (with `*`) that rules and routes depend on.
 *
 * @example
 * const assertSpelling = createSpelling(['gpt-4o', 'o1-*'])
 * assertSpelling('GPT-4o') // throws
 */
export function createSpelling(known: readonly string[]): AssertSpelling {
  const exact = new Set(known)
  const patterns = known.map((pattern) => ({
    fits: compilePatterns([pattern]),
    fitsFolded: compilePatterns([foldModel(pattern)]),
  }))
  const isMeant = memoize((model: string): boolean => {
    const folded = foldModel(model)
    return !exact.has(model) && patterns.some(({ fits, fitsFolded }) => fitsFolded(folded) && !fits(model))
  }, REMEMBERED)
  return (model) => {
    if (!isMeant(model)) return
    const shown = shownName(model)
    throw new ApiError('model_not_found', {
      message: `The model \`${shown}\` does not exist or you do not have access to it. This server takes the name of a model in one spelling only: case counts, and so do blanks.`,
      param: 'model',
    })
  }
}

/** A name as the least strict server reads it; Google's `models/` in front counts for nothing (https://ai.google.dev/api/models). */
function foldModel(name: string): string {
  return name
    .normalize('NFKC')
    .replace(/[\p{C}\p{Z}\s]+/gu, '')
    .toUpperCase()
    .toLowerCase()
    .replace(/^\/?models\//, '')
}
