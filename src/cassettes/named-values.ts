import { isSecretMember, isSecretName, isSecretParameter, looksSecret } from '../formats/secrets/secret-names.ts'
import { type JsonName, type JsonString, jsonNames, skipQuotedSpace, stringFrom } from './json-strings.ts'

/** The place of a secret in a text. */
export interface SecretPlace {
  readonly start: number
  readonly end: number
}

/** How many strings of a list or an object are looked at where its name says that it is secret. */
const NESTED_STRINGS_MAX = 64
/** How far from a tool's headers the rest of it stands. */
const TOOL_CHARS = 2048
/** A parameter of a URL, wherever one stands in a text, also where its separators are escaped. */
const PARAMETER =
  /(?:[?&]|&amp;|\\u0026|%3[Ff]|%26)((?:[\w.~[\]-]|%[0-9A-Fa-f]{2}){1,64})(?:=|%3[Dd])(?=([^&#\s"'<>\\)]+))/dg
/** A setting in prose or code: `API_KEY=…`, `x-api-key: …`. */
const SETTING = /(?<![\w%.-])([\w.-]{2,64})(?:=|:[ \t]?)["']?([^\s"'\\,;&<>)]{1,4096})/dg
/** A password in a URL (RFC 3986 §3.2.1). */
const USER_INFO =
  /(?::|%3[Aa])(?:\/\/|\\\/\\\/|%2[Ff]%2[Ff])[^\s/:@"'<>?#\\]{0,64}(?::|%3[Aa])([^\s/@"'<>?#\\]{1,256})(?:@|%40)/dg
/** The credentials behind an authentication scheme (RFC 6750, RFC 7617). */
const CREDENTIALS = /\b(?:[Bb]earer|[Bb]asic)(?:\s|%20|\+)+([\w.~+/%-]{16,}=*)/dg
/** A private key in PEM (RFC 7468). */
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----([\s\S]{16,16384}?)-----END/dg

/**
 * Finds the secrets in a text by their names or the text around them: members of JSON at any depth, also of JSON within a string,
 * parameters of URLs, passwords in them, settings, credentials behind their scheme, private keys. In order, without overlaps.
 *
 * @example
 * secretPlaces('{"api_key":"abc"}') // [{ start: 12, end: 15 }]
 */
export function secretPlaces(text: string): readonly SecretPlace[] {
  const found = [...memberPlaces(text), ...plainPlaces(text)].filter(({ start, end }) => end > start)
  found.sort((one, other) => one.start - other.start || other.end - one.end)
  let end = 0
  return found.filter((place) => {
    if (place.start < end) return false
    end = place.end
    return true
  })
}

function* memberPlaces(text: string): Generator<SecretPlace> {
  let before: NamedText | undefined
  for (const member of jsonNames(text)) {
    const name = text.slice(member.name.start, member.name.end)
    if (OWN_NAMES.test(name)) yield* headerPlaces(text, member)
    else if (PAIR.test(name)) {
      const value = stringFrom(text, member.valueAt, member.name.depth)
      const here = value === undefined ? undefined : { name, value, start: member.name.start }
      yield* pairPlaces(text, before, here)
      before = here
    }
    if (isSecretName(name)) yield* valuePlaces(text, member, name)
  }
}

/** Members whose own members have any names: headers and variables. */
const OWN_NAMES = /(?:headers|env|environment)$/i
/** A name and its value, as two members of one object. */
const PAIR = /^(?:name|key|header|variable|value)$/i

interface NamedText {
  readonly name: string
  readonly value: JsonString
  readonly start: number
}

/** The value of `{"name":"Authorization","value":"…"}`, in either order. */
function* pairPlaces(
  text: string,
  first: NamedText | undefined,
  second: NamedText | undefined,
): Generator<SecretPlace> {
  if (first === undefined || second === undefined) return
  const between = text.slice(first.value.next, second.start)
  if (!/^[\s\\nrt]*,[\s\\nrt]*"$/.test(between)) return
  const isValue = ({ name }: NamedText): boolean => name.toLowerCase() === 'value'
  if (isValue(first) === isValue(second)) return
  const [of, { value }] = isValue(first) ? [second, first] : [first, second]
  const name = text.slice(of.value.start, of.value.end)
  if (isSecretMember(name, text.slice(value.start, value.end))) yield value
}

/** The secrets in a member's value: a string, the strings of a list, or the `value` of an object. */
function* valuePlaces(text: string, { name: { depth }, valueAt }: JsonName, name: string): Generator<SecretPlace> {
  const value = stringFrom(text, valueAt, depth)
  if (value !== undefined) {
    if (isSecretMember(name, text.slice(value.start, value.end))) yield value
  } else if (text[valueAt] === '[') {
    for (const item of listItems(text, valueAt + 1, depth)) {
      if (isSecretMember(name, text.slice(item.start, item.end))) yield item
    }
  } else if (text[valueAt] === '{') {
    for (const [inner, item] of stringMembers(text, valueAt + 1, depth)) {
      if (
        /^(?:value|secret|token|key|password|data)$/i.test(inner) &&
        isSecretMember(name, text.slice(item.start, item.end))
      )
        yield item
    }
  }
}

/** The secrets among headers. A header for a tool's server (OpenAI's MCP tools) counts as a key; elsewhere it must look like one. */
function* headerPlaces(text: string, { name: { start, depth }, valueAt }: JsonName): Generator<SecretPlace> {
  if (text[valueAt] === '[') yield* headerPairs(text, valueAt + 1, depth)
  if (text[valueAt] !== '{') return
  const around = text.slice(Math.max(0, start - TOOL_CHARS), start + TOOL_CHARS)
  const isTools = /server_(?:url|label)|connector_id/.test(around)
  for (const [name, value] of stringMembers(text, valueAt + 1, depth)) {
    const isHarmless = /^(?:accept|content-|user-agent|host$|cache-)/i.test(name)
    if (isSecretName(name) || (isTools && !isHarmless) || looksSecret(text.slice(value.start, value.end))) yield value
  }
}

/** Headers as a list of lists, each of a name and its value. */
function* headerPairs(text: string, from: number, depth: number): Generator<SecretPlace> {
  let at = skipQuotedSpace(text, from)
  for (let count = 0; count < NESTED_STRINGS_MAX && text[at] === '['; count += 1) {
    const [name, value] = [...listItems(text, at + 1, depth)]
    if (name === undefined || value === undefined) return
    if (isSecretMember(text.slice(name.start, name.end), text.slice(value.start, value.end))) yield value
    const end = skipQuotedSpace(text, value.next)
    const comma = skipQuotedSpace(text, end + 1)
    if (text[end] !== ']' || text[comma] !== ',') return
    at = skipQuotedSpace(text, comma + 1)
  }
}

function* listItems(text: string, from: number, depth: number): Generator<JsonString> {
  let at = skipQuotedSpace(text, from)
  for (let count = 0; count < NESTED_STRINGS_MAX; count += 1) {
    const item = stringFrom(text, at, depth)
    if (item === undefined) return
    yield item
    at = skipQuotedSpace(text, item.next)
    if (text[at] !== ',') return
    at = skipQuotedSpace(text, at + 1)
  }
}

/** The members of an object that are strings, up to the first that is none. */
function* stringMembers(
  text: string,
  from: number,
  depth: number,
): Generator<readonly [name: string, value: JsonString]> {
  let at = skipQuotedSpace(text, from)
  for (let count = 0; count < NESTED_STRINGS_MAX; count += 1) {
    const name = stringFrom(text, at, depth)
    const colon = name === undefined ? -1 : skipQuotedSpace(text, name.next)
    if (name === undefined || text[colon] !== ':') return
    const value = stringFrom(text, skipQuotedSpace(text, colon + 1), depth)
    if (value === undefined) return
    yield [text.slice(name.start, name.end), value]
    at = skipQuotedSpace(text, value.next)
    if (text[at] !== ',') return
    at = skipQuotedSpace(text, at + 1)
  }
}

function* plainPlaces(text: string): Generator<SecretPlace> {
  for (const match of text.matchAll(PARAMETER)) {
    const [, name = '', value = ''] = match
    if (isSecretParameter(name, value)) yield* placeOf(match, 2)
  }
  for (const match of text.matchAll(SETTING)) {
    const [, name = '', value = ''] = match
    if (isSecretName(name) && looksSecret(value)) yield* placeOf(match, 2)
  }
  for (const pattern of [USER_INFO, CREDENTIALS, PRIVATE_KEY]) {
    for (const match of text.matchAll(pattern)) yield* placeOf(match, 1)
  }
}

function placeOf({ indices }: RegExpExecArray, group: number): SecretPlace[] {
  const place = indices?.[group]
  return place === undefined ? [] : [{ start: place[0], end: place[1] }]
}
