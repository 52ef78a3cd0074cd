import type { NamedCassette } from './cassette.ts'
import { differences, renderDifference } from './differences.ts'
import { type Ignored, type RequestKey, requestKey } from './request-key.ts'

/** Chooses the cassette that answers a request. */
export interface Matcher {
  /** How many cassettes there are. */
  readonly count: () => number
  readonly add: (named: NamedCassette) => void
  /**
   * Takes the cassette for a request. The n-th request of a kind gets the n-th recording of that kind, and all requests behind the last
   * recording get that one. undefined: there is none.
   */
  readonly take: (key: RequestKey) => NamedCassette | undefined
  /** Explains why a request has no cassette: the nearest one, and the differences. */
  readonly explainMiss: (key: RequestKey) => string
}

interface Entry {
  readonly named: NamedCassette
  readonly key: RequestKey
}

/** The cassettes of requests that are alike, in the order in which they were recorded. */
interface Kind {
  readonly entries: Entry[]
  /** How many of such requests have come. */
  taken: number
}

/** How many differences are named, and how many are counted. */
const NAMED_MAX = 3
const COUNTED_MAX = 100
const PATHS_MAX = 5
const TARGET_CHARS_MAX = 120

/**
 * Makes the matcher of cassettes, given in the order in which they were recorded.
 *
 * @example
 * const named = createMatcher(cassettes, readIgnored()).take(key)
 */
export function createMatcher(cassettes: readonly NamedCassette[], ignored: Ignored): Matcher {
  const entries: Entry[] = []
  const kinds = new Map<string, Kind>()
  const add = (named: NamedCassette): void => {
    const entry = { named, key: requestKey(named.cassette.request, ignored) }
    entries.push(entry)
    const kind = kinds.get(entry.key.id)
    if (kind === undefined) kinds.set(entry.key.id, { entries: [entry], taken: 0 })
    else kind.entries.push(entry)
  }
  for (const named of cassettes) add(named)
  return {
    count: () => entries.length,
    add,
    take(key) {
      const kind = kinds.get(key.id)
      if (kind === undefined) return undefined
      const entry = kind.entries[Math.min(kind.taken, kind.entries.length - 1)]
      kind.taken += 1
      return entry?.named
    },
    explainMiss: (key) => explain(key, entries),
  }
}

function explain(key: RequestKey, entries: readonly Entry[]): string {
  const asked = `${key.method} ${shortened(key.path)}`
  const candidates = entries.filter(({ key: other }) => other.method === key.method && other.path === key.path)
  if (candidates.length === 0) return `No cassette is for ${asked}; ${describeOthers(entries)}.`
  const [nearest] = candidates
    .map((entry) => ({ entry, found: differencesOf(entry.key, key) }))
    .toSorted((one, other) => one.found.length - other.found.length)
  if (nearest === undefined) return ''
  const { entry, found } = nearest
  const more = found.length - NAMED_MAX
  const count = found.length > COUNTED_MAX ? `more than ${COUNTED_MAX - NAMED_MAX}` : String(more)
  const rest = more > 0 ? `; and ${count} more difference${more === 1 ? '' : 's'}` : ''
  return `No cassette fits ${asked}. The nearest is ${entry.named.name}: ${found.slice(0, NAMED_MAX).join('; ')}${rest}.`
}

/** Describes the differences of two keys. Behind the first few they are only counted, and their text is empty. */
function differencesOf(recorded: RequestKey, came: RequestKey): string[] {
  const found: string[] = []
  const all = differences(recorded.body, came.body)
  if (recorded.query !== came.query) {
    found.push(renderDifference({ path: 'query', recorded: recorded.query, came: came.query }))
  }
  for (const difference of all.take(COUNTED_MAX + 1)) {
    found.push(found.length < NAMED_MAX ? renderDifference(difference) : '')
  }
  return found
}

function describeOthers(entries: readonly Entry[]): string {
  const paths = [...new Set(entries.map(({ key: { method, path } }) => `${method} ${shortened(path)}`))]
  if (paths.length === 0) return 'there are no cassettes at all'
  const more = paths.length > PATHS_MAX ? ` and ${paths.length - PATHS_MAX} more` : ''
  return `there are some for ${paths.slice(0, PATHS_MAX).join(', ')}${more}`
}

function shortened(text: string): string {
  return text.length > TARGET_CHARS_MAX ? `${text.slice(0, TARGET_CHARS_MAX).toWellFormed()}…` : text
}
