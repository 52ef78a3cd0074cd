import { canonicalText } from '../formats/json/canonical-json.ts'
import { type ExactJson, type ExactObject, isExactObject, parseExact } from '../formats/json/exact.ts'
import type { CassettePart, CassetteRequest, CassetteRequestBody } from './cassette.ts'

/** The part of a request by which its cassette is found. */
export interface RequestKey {
  readonly method: string
  /** With `/v1` in front. */
  readonly path: string
  /** Parameters in the order of their names. */
  readonly query: string
  /** The body without the ignored parts; undefined: there is none. */
  readonly body: ExactJson | undefined
  /** One text for all requests that are alike. */
  readonly id: string
}

/** The parts of a body that are not compared. */
export interface Ignored {
  /** The ways to values, such as `[['user'], ['messages', '*', 'name']]`. */
  readonly paths: Paths
  /** Patterns whose matches are removed from all texts, on both sides, before the comparison. */
  readonly blanks: readonly RegExp[]
}

type Paths = readonly (readonly string[])[]

/**
 * The members ignored by default: they do not change the answer, and often differ from run to run. Codex makes the last three anew in
 * each run.
 */
const IGNORED = [
  ...['user', 'metadata', 'safety_identifier', 'prompt_cache_key', 'prompt_cache_retention'],
  ...['client_metadata', 'input.*.id', 'input.*.internal_chat_message_metadata_passthrough'],
] as const

/** The type of an item that holds nothing but an id (OpenAI's specification, ItemReferenceParam): there the id is always compared. */
const REFERENCE = 'item_reference'

/**
 * Reads a list of paths to ignore, `a,b.c`, and adds it to the default. `*` stands for any one step, and a minus in front takes a path off
 * the list. `blanks` have the flag `g`.
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
 * Makes the key of a request.
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

/** Sorts parameters by name, because servers take them in any order. Those of one name keep their order. */
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

/** A form as an object of its parts' names, because libraries write them in different orders. */
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

/** Removes the patterns' matches from all texts in a value, at any depth. */
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

/** The rest of an item, in an array; an empty array: it is ignored as a whole. */
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
