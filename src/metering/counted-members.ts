import { type CapWords, joinCapWords } from '../config/providers/cap-words.ts'
import { memoize } from '../formats/bounded-memo.ts'
import { foldName } from '../formats/json/fold-name.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { wordsOfValue } from '../openai/json-type-words.ts'
import { capEndpointOf, certainCaps } from '../params/token-caps.ts'
import type { PlannedCall } from '../pricing/planned-call.ts'
import type { Deployment } from '../routing/targets/deployment.ts'

type Members = PlannedCall['members']

/**
 * What a member says of a call's use: `number`: a count of its own; `answers`: how many answers there are to a prompt; `cap`: the most tokens
 * of one, which its endpoint obeys; `perhaps`: a cap to some servers, and nothing to others.
 */
type Role = 'number' | 'answers' | 'cap' | 'perhaps'

/** The caps that are obeyed, by their exact names; the roles of names, and of names within an object of a name, all folded. */
interface Roles {
  readonly caps: readonly string[]
  readonly names: ReadonlyMap<string, Role>
  readonly within: ReadonlyMap<string, ReadonlyMap<string, Role>>
}

/** OpenAI's counts, by their exact names. */
const OWN: Readonly<Record<string, Role>> = {
  n: 'answers',
  best_of: 'answers',
  max_tool_calls: 'number',
  partial_images: 'number',
}
/** A number as servers read it that take a text for one: Pydantic's, Go's and JavaScript's spellings. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const SEPARATORS = /(?<=\d)_(?=\d)/g

const folded = memoize(foldName, { entriesMax: 512, keyCharsMax: 64 })
const known = new WeakMap<readonly Deployment[], Map<string, Roles>>()

/**
 * The members of a call as its upstream counts by them: numbers that are written as a text, with a fraction or as true are numbers (vLLM and
 * other servers of Pydantic's take them), `n` is the largest of all words for it, and a cap that the endpoint may ignore is none.
 *
 * Throws `invalid_parameter` (`invalid_type`) for one of OpenAI's own counts that no server can take for a number, where what is used
 * `isLimited`.
 *
 * @example
 * countedMembers({ n: '50', max_tokens: 10 }, 'chat/completions', route.deployments, true) // { n: 50, max_tokens: 10 }
 */
export function countedMembers(
  members: Members,
  endpoint: string,
  deployments: readonly Deployment[],
  isLimited: boolean,
): Members {
  const { caps, names, within } = rolesOf(endpoint, deployments)
  let counted: Record<string, unknown> | undefined
  let [answers, perhaps] = [0, 0]
  for (const name of Object.keys(members)) {
    const value = members[name]
    const role = names.get(folded(name))
    if (role === undefined && isJsonObject(value)) {
      const inner = within.get(folded(name))
      if (inner !== undefined) [answers, perhaps] = largestWithin(value, inner, answers, perhaps)
    }
    if (role === undefined || value === null || value === undefined) continue
    const isOwn = OWN[name] === role || (role === 'cap' && caps.includes(name))
    if (isOwn && typeof value === 'number' && Number.isInteger(value)) continue
    // Realtime sessions say so that there is no cap.
    const number = value === 'inf' && role === 'cap' ? 0 : numberOf(value)
    if (number === undefined && isOwn && isLimited) throw notANumber(name, value)
    counted ??= { ...members }
    if (isOwn) counted[name] = number
    else {
      delete counted[name]
      if (role === 'answers') answers = Math.max(answers, number ?? 0)
      else perhaps = Math.max(perhaps, number ?? 0)
    }
  }
  if (answers === 0 && perhaps === 0) return counted ?? members
  counted ??= { ...members }
  if (answers > Number(counted['n'] ?? 1)) counted['n'] = answers
  // Which of several caps a server obeys is not known: the largest counts, where there is one that it obeys.
  for (const cap of caps) if (Number(counted[cap] ?? perhaps) < perhaps) counted[cap] = perhaps
  return counted
}

function largestWithin(
  value: Members,
  roles: ReadonlyMap<string, Role>,
  answers: number,
  perhaps: number,
): [answers: number, perhaps: number] {
  let most: [number, number] = [answers, perhaps]
  for (const name of Object.keys(value)) {
    const role = roles.get(folded(name))
    const number = role === undefined ? 0 : (numberOf(value[name]) ?? 0)
    if (role === 'answers') most = [Math.max(most[0], number), most[1]]
    else if (role !== undefined) most = [most[0], Math.max(most[1], number)]
  }
  return most
}

/** The roles of names at an endpoint of some targets; worked out once for each list of them. */
function rolesOf(endpoint: string, deployments: readonly Deployment[]): Roles {
  const byEndpoint = known.get(deployments) ?? new Map<string, Roles>()
  known.set(deployments, byEndpoint)
  const kind = capEndpointOf(endpoint)
  const found = byEndpoint.get(kind)
  if (found !== undefined) return found
  const words = joinCapWords(deployments.map(({ upstream }) => upstream.capWords))
  const roles = makeRoles(words, kind)
  byEndpoint.set(kind, roles)
  return roles
}

function makeRoles(words: CapWords, endpoint: string): Roles {
  const caps = certainCaps(endpoint, words)
  const names = new Map<string, Role>()
  const within = new Map<string, Map<string, Role>>()
  const add = (word: string, role: Role): void => {
    const [outer = '', inner, ...deeper] = word.split('.')
    if (inner === undefined) names.set(foldName(outer), role)
    if (inner === undefined || deeper.length > 0) return
    const found = within.get(foldName(outer)) ?? new Map<string, Role>()
    within.set(foldName(outer), found.set(foldName(inner), role))
  }
  for (const word of words.caps) add(word, 'perhaps')
  for (const word of [...words.counts, 'num_images']) add(word, 'answers')
  for (const [word, role] of Object.entries(OWN)) add(word, role)
  for (const word of caps) add(word, 'cap')
  return { caps, names, within }
}

/** A value as a number, as the most lenient server reads it; undefined: none can. Parts are rounded up, of several the largest counts. */
function numberOf(value: unknown): number | undefined {
  if (Array.isArray(value)) {
    const numbers = value.map(numberOf)
    return numbers.length === 0 || numbers.includes(undefined) ? undefined : Math.max(...numbers.map(Number))
  }
  if (typeof value === 'boolean') return value ? 1 : 0
  const number = typeof value === 'string' ? numberIn(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? Math.ceil(number) : undefined
}

function numberIn(text: string): number | undefined {
  const written = text.trim().replace(SEPARATORS, '')
  return NUMBER.test(written) ? Number(written) : undefined
}

function notANumber(name: string, value: unknown): ApiError {
  const got = typeof value === 'symbol' ? 'a long value' : wordsOfValue(value)
  return new ApiError('invalid_parameter', {
    message: `Invalid type for '${name}': expected an integer, but got ${got} instead.`,
    param: name,
    code: 'invalid_type',
  })
}
