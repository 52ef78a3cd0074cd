import { memoize } from '../formats/bounded-memo.ts'
import { compilePatterns } from '../formats/text/wildcards.ts'
import { ApiError } from '../openai/api-error.ts'

/** Throws `model_not_found` for a name of which some server may think that it is another one's. */
export type AssertSpelling = (model: string) => void

/** Callers choose names. */
const REMEMBERED = { entriesMax: 1000, keyCharsMax: 256 } as const
const CHARS_SHOWN_MAX = 100

/**
 * Prepares what refuses names of models that differ from a known one in case only, in blanks or in Unicode's compatibility forms:
 * they would pass by what is known of that, and a server that looks at names less closely would answer by it all the same. A name
 * that is known itself is fine.
 *
 * `known` are the names and patterns, with `*`, by which anything is decided.
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
    const shown = model.slice(0, CHARS_SHOWN_MAX)
    throw new ApiError('model_not_found', {
      message: `The model \`${shown}\` does not exist or you do not have access to it. This server takes the name of a model in one spelling only: case counts, and so do blanks.`,
      param: 'model',
    })
  }
}

/** A name as those read it who look least closely; Google's `models/` in front is as good as none (https://ai.google.dev/api/models). */
function foldModel(name: string): string {
  return name
    .normalize('NFKC')
    .replace(/[\p{C}\p{Z}\s]+/gu, '')
    .toUpperCase()
    .toLowerCase()
    .replace(/^\/?models\//, '')
}
