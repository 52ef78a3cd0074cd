import { canonicalText } from '../formats/json/canonical-json.ts'
import { type ExactJson, type ExactObject, isExactObject, parseExact } from '../formats/json/exact.ts'
import type { CassettePart, CassetteRequest, CassetteRequestBody } from './cassette.ts'

/** What of a request has to be alike for a cassette to answer it. */
export interface RequestKey {
  readonly method: string
  /** With `/v1` in front. */
  readonly path: string
  /** Parameters in the order of their names. */
  readonly query: string
  /** Without what is ignored; undefined: none. */
  readonly body: ExactJson | undefined
  /** The same for all that are alike, and for no other. */
  readonly id: string
}

/** What of a body is not compared. */
export interface Ignored {
  /** The ways to values, such as `[['user'], ['messages', '*', 'name']]`. */
  readonly paths: Paths
  /** What is taken out of all texts first, on both sides. */
  readonly blanks: readonly RegExp[]
}

type Paths = readonly (readonly string[])[]

/**
 * What is ignored unless it is said otherwise: it does not change the answer, and often differs from run to run. Codex sends the
 * last three anew in each run.
 */
const IGNORED = [
  ...['user', 'metadata', 'safety_identifier', 'prompt_cache_key', 'prompt_cache_retention'],
  ...['client_metadata', 'input.*.id', 'input.*.internal_chat_message_metadata_passthrough'],
] as const

/** All that such an item says is the id that it refers to (OpenAI's specification, ItemReferenceParam): that is compared always. */
const REFERENCE = 'item_reference'

/**
 * Reads a list of what to ignore, `a,b.c`, which is added to what is ignored anyway; `*` stands for any one step, and a
 * minus in front takes a name off the list. `blanks` have the flag `g`.
 *
 * @example
 * const ignored = readIgnored('seed,messages.*.name,-metadata', [/Chunk ID: \w+/gu])
 */
export function readIgnored(list = '', blanks: readonly RegExp[] = []): Ignored {
  const names = list.split(',').map((name) => name.trim())
  const paths = new Set<string>([...IGNORED, ...names.filter((name) => name !== '' && !name.startsWith('-'))])
  for (const name of names) if (name.startsWith('-')) paths.delete(name.slice(1))
  return { paths: [...paths].map((path) => path.split('.')), blanks }
}

/**
 * Gives what a request is compared by.
 *
 * @example
 * const { id } = requestKey(cassette.request, readIgnored())
 */
export function requestKey({ method, path, query, body }: CassetteRequest, ignored: Ignored): RequestKey {
  const compared = body === undefined ? undefined : without(blanked(comparable(body), ignored.blanks), ignored.paths)
  const key = { method, path: path.startsWith('/v1/') ? path : `/v1${path}`, query: sorted(query ?? '') }
  const id = JSON.stringify([key.method, key.path, key.query, compared === undefined ? '' : canonicalText(compared)])
  return { ...key, body: compared, id }
}

/** In any order, since servers read them so; the same name's in theirs. */
function sorted(query: string): string {
  const parameters = new URLSearchParams(query)
  parameters.sort()
  return parameters.toString()
}

function comparable({ json, text, base64, parts }: CassetteRequestBody): ExactJson {
  if (json !== undefined) return json as ExactJson
  if (text !== undefined) return parseExact(text) ?? text
  return parts === undefined ? (base64 ?? '') : comparableForm(parts)
}

/** The parts by their names, since libraries put them in different orders. */
function comparableForm(parts: readonly CassettePart[]): ExactJson {
  const form = new Map<string, ExactJson[]>()
  for (const { name, text, filename = null, sha256 = null } of parts) {
    form.set(name, [...(form.get(name) ?? []), text ?? { filename, sha256 }])
  }
  return Object.fromEntries(
    [...form].map(([name, [first, ...others]]) => [
      name,
      others.length === 0 ? (first ?? null) : [first ?? null, ...others],
    ]),
  )
}

/** All texts in a value, however deep, without what the patterns find in them. */
function blanked(value: ExactJson, blanks: readonly RegExp[]): ExactJson {
  if (blanks.length === 0) return value
  if (typeof value === 'string') return blanks.reduce((text, blank) => text.replaceAll(blank, ''), value)
  if (Array.isArray(value)) return value.map((item: ExactJson) => blanked(item, blanks))
  if (!isExactObject(value)) return value
  return Object.fromEntries(Object.entries(value as ExactObject).map(([name, item]) => [name, blanked(item, blanks)]))
}

function without(value: ExactJson, ignored: Paths): ExactJson {
  if (ignored.length === 0) return value
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => pruned(item, String(index), ignored))
  }
  if (!isExactObject(value)) return value
  const object = value as ExactObject
  const kept: [string, ExactJson][] = Object.entries(object).flatMap(([name, item]): [string, ExactJson][] => {
    if (name === 'id' && object['type'] === REFERENCE) return [[name, item]]
    return pruned(item, name, ignored).map((one) => [name, one])
  })
  return Object.fromEntries(kept)
}

/** What is left of an item: it, in an array, or nothing. */
function pruned(item: ExactJson, step: string, ignored: Paths): ExactJson[] {
  const here = ignored.filter(([first]) => first === step || first === '*')
  if (here.some(({ length }) => length === 1)) return []
  return [
    without(
      item,
      here.map((path) => path.slice(1)),
    ),
  ]
}
