import { nearest, suggest } from '../../../formats/text/nearest.ts'
import type { Callers } from '../../file/section-reader.ts'
import type { Fault } from '../../scalar-kinds.ts'
import { LEDGER_CURE } from '../ledger.ts'
import { KNOWN_ENDPOINTS } from './known-endpoints.ts'

/** Why a pattern of a rule fits nothing, and whether that holds as long as the server runs. */
export interface Unfit extends Fault {
  readonly isCertain: boolean
}

const KINDS: readonly string[] = ['token', 'key', 'caller', 'local']
/** A token's place in the list: rules named tokens by it once. */
const PLACE = /^token-(\d{1,4})$/

/** Why a rule's principal fits no caller; undefined: it fits one. */
export function unfitPrincipal(pattern: string, callers: Callers): Unfit | undefined {
  const { names, isRequired, mayChange, isLoopback, hasLedger = false } = callers
  // Keys come and go while the server runs.
  if (hasLedger && (patternsMeet(pattern, 'key') || patternsMeet(pattern, 'key_*'))) return undefined
  const known = names.some((name) => patternsMeet(pattern, name))
  if (known && isRequired) return undefined
  const kinds = isRequired ? ['token'] : isLoopback ? ['caller', 'local'] : ['caller']
  if (kinds.some((kind) => patternsMeet(pattern, kind))) return undefined
  if (!isRequired && patternsMeet(pattern, 'caller-*')) return undefined
  if (/^key(_|$)/.test(pattern))
    return { wrong: 'fits nobody, since there is no ledger', cure: LEDGER_CURE, isCertain: false }
  const isKind = KINDS.some((kind) => patternsMeet(pattern, kind))
  if (isKind && pattern === 'local' && !isRequired) {
    return { wrong: 'fits nobody, since HOST is reached by other machines', cure: LOCAL_CURE, isCertain: false }
  }
  if (!isRequired) {
    const cure = 'Set REQUIRE_AUTH=true with API_TOKEN, or take the rule out.'
    return { wrong: 'fits nobody, since no token is asked for (REQUIRE_AUTH)', cure, isCertain: false }
  }
  if (isKind) {
    const cure = 'Write token, or the name of one; or take it out.'
    return { wrong: 'fits nobody, since each caller needs a token (REQUIRE_AUTH)', cure, isCertain: false }
  }
  const place = PLACE.exec(pattern)?.[1]
  if (place !== undefined) return unfitPlace(names[Number(place) - 1])
  return {
    wrong: 'fits nobody: no token has that name',
    cure: suggest(pattern, names, NAME_CURE),
    isCertain: !mayChange,
  }
}

const LOCAL_CURE = 'Set HOST=127.0.0.1, or take it out.'
const NAME_CURE = 'Write the name of a token (API_TOKEN=NAME:TOKEN), or token for all of them.'

/** Rules named tokens by their places once, and such names are still in files. */
function unfitPlace(name: string | undefined): Unfit {
  const cure = name === undefined ? NAME_CURE : `The token at that place goes by the name of ${name}: write that.`
  return { wrong: 'is the place of a token in its list, and rules go by names', cure, isCertain: true }
}

/** Why a rule's endpoint fits no request; undefined: it fits one, perhaps of an endpoint that only some upstream knows. */
export function unfitEndpoint(written: string): Unfit | undefined {
  const pattern = written.toLowerCase()
  const never = (wrong: string, cure: string): Unfit => ({ wrong, cure, isCertain: true })
  if (/^(\/|v1\/)/.test(pattern)) {
    const cure = 'Write what stands behind /v1/, such as chat/completions.'
    return never('begins with a slash or with v1/, and so fits no request', cure)
  }
  if (/[?#%;\s\\]|:\/\/|\/\/|\/$/.test(pattern)) {
    const cure = 'Write the path alone, such as chat/completions: no query, no escapes, no slash at its end.'
    return never('has something in it that no path has here, and so fits no request', cure)
  }
  if (KNOWN_ENDPOINTS.some((known) => patternsMeet(pattern, known))) return undefined
  if (KNOWN_ENDPOINTS.some((known) => known.startsWith(`${pattern}/`))) {
    return never('is the beginning of paths, and fits none of them', 'Write "/*" behind it for all of them.')
  }
  const plain = pattern.replace(/\/?\*+$/, '')
  const meant = nearest(plain, KNOWN_ENDPOINTS) ?? nearest(plain, RESOURCES)
  if (meant === undefined) return undefined
  const isResource = !KNOWN_ENDPOINTS.includes(meant)
  return never('is no path of the API', `Did you mean "${isResource || plain !== pattern ? `${meant}/*` : meant}"?`)
}

const RESOURCES = [...new Set(KNOWN_ENDPOINTS.map((path) => path.split('/', 1)[0] ?? ''))]

/** The models that are offered, where all others are refused. */
export interface Offered {
  /** The names that callers use, which may hold `*`. */
  readonly names: readonly string[]
  /** The name that callers use, by an upstream's own name for the model. */
  readonly aliases: ReadonlyMap<string, string>
}

/** Why a rule's model fits no request, where models that are not offered are refused; undefined: it fits one. */
export function unfitModel(pattern: string, { names, aliases }: Offered): Unfit | undefined {
  if (names.some((name) => patternsMeet(pattern, name))) return undefined
  const alias = aliases.get(pattern)
  const cure =
    alias === undefined
      ? suggest(pattern, names, 'Write a name of models, or set unknown_models: pass.')
      : `It is what stands behind "${alias}": write that, the name that callers use.`
  return { wrong: 'is not offered, and unknown_models refuses what is not', cure, isCertain: true }
}

/** Why a rule's value fits no header; undefined: it fits one. */
export function unfitHeader(pattern: string): Unfit | undefined {
  if (!/^\s|\s$|[\r\n]/.test(pattern)) return undefined
  const cure = 'Take the space away: a value has none around it.'
  return { wrong: 'has a space at its beginning or end, and so fits no value', cure, isCertain: true }
}

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
      // A star in `other` matches the character, and stays.
      if (other[at] === '*') next.add(at)
      if (char === '*') for (let to = at; to <= other.length; to += 1) next.add(to)
      else if (other[at] === char) next.add(at + 1)
    }
    reached = spread(next)
  }
  return reached.has(other.length)
}
