import type { CapWords } from '../config/providers/cap-words.ts'
import { type Names, namesOf } from './name-tree.ts'
import { parentNotAnObject } from './refusals.ts'
import type { Renames } from './renames.ts'
import type { RuleRun } from './rule-run.ts'

/** The subject of a word's limit: all of an answer's tokens, a part of them, or the number of answers. */
export type CapKind = 'cap' | 'budget' | 'count'

/** One of the words, as a path; after all renames. */
export interface CapWord {
  readonly kind: CapKind
  readonly names: Names
}

/** All words for the cap on an answer's tokens: different servers' names for one thing. */
export interface TokenCaps {
  readonly words: readonly CapWord[]
  /** The words by their outermost names. */
  readonly byName: ReadonlyMap<string, readonly CapWord[]>
  /** OpenAI's own words at the endpoint: a request with one of them certainly has a cap. */
  readonly certain: Names
  /** Whether a path is one of the words for the number of answers. */
  readonly isCount: (names: Names) => boolean
  /** Whether a path is one of the words for the cap itself. */
  readonly isCap: (names: Names) => boolean
}

/** Parameters that are one prompt or a list of prompts, each of which gets answers of its own. */
export const PROMPT_LISTS: Names = [
  'prompt',
  'prompts',
  'prompt_embeds',
  'prompt_token_ids',
  'inputs',
  'input_ids',
  'messages',
]

const CERTAIN: Readonly<Record<string, Names>> = {
  'chat/completions': ['max_tokens', 'max_completion_tokens'],
  completions: ['max_tokens'],
  responses: ['max_output_tokens'],
}
const EVERYWHERE: Names = ['max_tokens', 'max_completion_tokens', 'max_output_tokens']

/** Gives the endpoint if it decides which of the caps are certain, else an empty text: a key for results that depend on that. */
export function capEndpointOf(path: string): string {
  return Object.hasOwn(CERTAIN, path) ? path : ''
}

/** OpenAI's words for the cap that an endpoint's servers obey for certain, where those have these words; `endpoint`: a path below `/v1/`. */
export function certainCaps(endpoint: string, { ignored }: Pick<CapWords, 'ignored'>): Names {
  const own = Object.hasOwn(CERTAIN, endpoint) ? CERTAIN[endpoint] : undefined
  return (own ?? EVERYWHERE).filter((name) => !ignored.includes(name))
}

/** Prepares the words, by their names before and after the rules' renames; `endpoint` is the result of `capEndpointOf`. */
export function compileTokenCaps(words: CapWords, renames: Renames, endpoint: string): TokenCaps {
  const byPath = new Map<string, CapWord>()
  const add = (kind: CapKind, paths: readonly string[]): void => {
    for (const path of paths) {
      for (const names of [namesOf(path), renames.resolve(namesOf(path))]) byPath.set(names.join('.'), { kind, names })
    }
  }
  add('count', words.counts)
  add('budget', words.budgets)
  add('cap', words.caps)
  const all = [...byPath.values()]
  return {
    words: all,
    byName: Map.groupBy(all, ({ names }) => names[0] ?? ''),
    certain: [...new Set(certainCaps(endpoint, words).flatMap((name) => [name, ...renames.resolve([name])]))],
    isCount: (names) => byPath.get(names.join('.'))?.kind === 'count',
    isCap: (names) => byPath.get(names.join('.'))?.kind === 'cap',
  }
}

/**
 * Finds the words that a body has; null counts as absent. Throws `rules_not_applicable` if a word may be within a text or a list, which
 * some servers read as an object.
 */
export function wordsIn(run: RuleRun, { byName }: TokenCaps): readonly CapWord[] {
  const found: CapWord[] = []
  for (const name of run.root.names()) {
    for (const word of byName.get(name) ?? NONE) if (isIn(run, word)) found.push(word)
  }
  return found
}

const NONE: readonly CapWord[] = []

function isIn(run: RuleRun, { names }: CapWord): boolean {
  let object: RuleRun['root'] | undefined = run.root
  for (let depth = 0; depth < names.length - 1; depth += 1) {
    const value = object.get(names[depth] ?? '')
    if (typeof value === 'string' || Array.isArray(value)) throw parentNotAnObject(names, depth + 1)
    object = object.child(names[depth] ?? '')
    if (object === undefined) return false
  }
  const value = object.get(names.at(-1) ?? '')
  return value !== undefined && value !== null
}
