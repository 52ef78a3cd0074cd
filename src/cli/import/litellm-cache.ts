import { isJsonObject, type JsonObject } from '../../formats/json/json.ts'
import { durationOf, type Hide, numberAt, sectionOf, textOf, variable, variableOf } from './litellm-values.ts'
import { memberPath, type NoteUntranslated, UNNEEDED } from './untranslated.ts'

const PARAMS = 'litellm_settings.cache_params'
/** LiteLLM's names for the parts of a Redis URL. */
const ADDRESS = ['host', 'port', 'password', 'username', 'db', 'ssl'] as const
/** LiteLLM's types of caches that NexCode has a store for. */
const STORES: ReadonlySet<string> = new Set(['local', 'disk', 'redis'])
const TAKEN: ReadonlySet<string> = new Set(['type', 'ttl', 'mode', 'disk_cache_dir', ...ADDRESS])

/** Reasons for parameters of the cache that are not translated. */
const REASONS: readonly (readonly [name: RegExp, why: string])[] = [
  [/semantic|similarity|embedding|max_messages/, 'is not there: the cache finds equal requests, not similar ones'],
  [/^supported_call_types$/, 'is not there: an extension, or `Cache-Control: no-store`, keeps requests from the cache'],
  [
    /^(?:redis_startup_nodes|sentinel|service_name)/,
    'is not there: a Redis is one server, by its URL in `cache.store`',
  ],
  [
    /^namespace$/,
    'is not there: keys begin with nexcode; a database of its own is a number behind the URL of `cache.store`',
  ],
  [/ttl$/, 'is not there: `cache.ttl` is one for all stores'],
]

/**
 * Reads LiteLLM's cache, which answers equal requests from memory or Redis. As with LiteLLM, it is for all requests, and not only for
 * deterministic ones; unlike with LiteLLM, callers do not share answers.
 *
 * Gives the section `cache`; undefined, and listed as untranslated, if there is no cache that fits.
 *
 * @example
 * const cache = readCache(sectionOf(source, 'litellm_settings'), { note, hide })
 */
export function readCache(
  settings: JsonObject,
  { note, hide }: { note: NoteUntranslated; hide: Hide },
): JsonObject | undefined {
  const params = sectionOf(settings, 'cache_params')
  const given = settings['cache_params']
  if (given !== undefined && given !== null && !isJsonObject(given)) note(PARAMS, 'is no section: it is left out')
  const isOn = settings['cache']
  if (isOn !== true) {
    if (isOn === false) note('litellm_settings.cache', UNNEEDED)
    else if (isOn !== undefined && isOn !== null)
      note('litellm_settings.cache', 'is neither true nor false: it is left out')
    noteUnused(params, 'is without `cache: true`, and so off there', note)
    return undefined
  }
  const [optIn, type] = [textOf(params['mode']) === 'default_off', textOf(params['type'] ?? 'redis') ?? '']
  if (optIn) note(memberPath(PARAMS, 'mode'), 'is not there: a cache that is on is for all callers')
  else if (!STORES.has(type)) {
    note(memberPath(PARAMS, 'type'), `${JSON.stringify(type)} is not there: there are memory, SQLite and Redis`)
  }
  if (optIn || !STORES.has(type)) {
    noteUnused(params, 'is left out', note)
    note('litellm_settings.cache', 'has nothing to stand for it: set `cache` by hand, see docs/caching.md')
    return undefined
  }
  const store = storeOf(type, params, { note, hide })
  const ttl = numberAt(params, 'ttl', PARAMS, note)
  if (ttl === 0) note(memberPath(PARAMS, 'ttl'), UNNEEDED)
  if (params['mode'] !== undefined) note(memberPath(PARAMS, 'mode'), UNNEEDED)
  noteOthers(params, note)
  note(
    'litellm_settings.cache',
    'is each caller’s own here: `cache.scope: shared` gives all callers what one was answered',
  )
  return { store, ...(ttl === undefined || ttl === 0 ? {} : { ttl: durationOf(ttl) }), requests: 'all' }
}

/** Lists a cache that has no counterpart. */
function noteUnused(params: JsonObject, why: string, note: NoteUntranslated): void {
  const keys = Object.keys(params)
  if (keys.length > 0) note(PARAMS, `${why} (${keys.join(', ')})`)
}

function storeOf(type: string, params: JsonObject, tools: { note: NoteUntranslated; hide: Hide }): string {
  if (type === 'redis') return redisUrl(params, tools)
  for (const key of ADDRESS) if (params[key] !== undefined) tools.note(memberPath(PARAMS, key), UNNEEDED)
  if (type === 'local') return 'memory'
  if (params['disk_cache_dir'] !== undefined) {
    tools.note(memberPath(PARAMS, 'disk_cache_dir'), 'is a file of SQLite here: its place is `cache.store`')
  }
  return 'sqlite:./nexcode-cache.db'
}

/** Gives the address of Redis; LiteLLM takes a missing one from REDIS_HOST, REDIS_PORT and REDIS_PASSWORD. */
function redisUrl(params: JsonObject, { note, hide }: { note: NoteUntranslated; hide: Hide }): string {
  const part = (key: (typeof ADDRESS)[number]): string | undefined => {
    const text = textOf(params[key])
    const name = text === undefined ? undefined : variableOf(text)
    if (text === undefined && params[key] !== undefined && params[key] !== null) {
      note(memberPath(PARAMS, key), 'is no text: it is left out')
    }
    return name === undefined ? text : variable(name)
  }
  const [host, port, user, database] = [part('host'), part('port'), part('username') ?? '', part('db')]
  const password = passwordOf(params, { note, hide })
  const name = host ?? variable('REDIS_HOST')
  if (host === undefined) {
    const words = 'takes its address from REDIS_HOST and REDIS_PORT, as there; a password belongs into `cache.store`'
    note(PARAMS, `${words}: redis://:PASSWORD@HOST:PORT`)
  }
  const scheme = params['ssl'] === true ? 'rediss' : 'redis'
  if (params['ssl'] !== undefined && params['ssl'] !== true) {
    note(memberPath(PARAMS, 'ssl'), params['ssl'] === false ? UNNEEDED : 'is neither true nor false: it is left out')
  }
  const login = password === undefined ? '' : `${user}:${password}@`
  if (password === undefined && user !== '')
    note(memberPath(PARAMS, 'username'), 'is without a password: it is left out')
  const at = port ?? (host === undefined ? variable('REDIS_PORT:-6379') : '6379')
  return `${scheme}://${login}${name}:${at}${database === undefined ? '' : `/${database}`}`
}

function passwordOf(params: JsonObject, { note, hide }: { note: NoteUntranslated; hide: Hide }): string | undefined {
  const text = textOf(params['password'])
  if (text === undefined) {
    if (params['password'] !== undefined) note(memberPath(PARAMS, 'password'), 'is no text: it is left out')
    return undefined
  }
  const name = variableOf(text)
  return name === undefined ? hide(text, 'REDIS_PASSWORD', memberPath(PARAMS, 'password')) : variable(name)
}

function noteOthers(params: JsonObject, note: NoteUntranslated): void {
  for (const [key, value] of Object.entries(params)) {
    if (TAKEN.has(key)) continue
    const path = memberPath(PARAMS, key)
    if (value === null || value === false) note(path, UNNEEDED)
    else note(path, REASONS.find(([name]) => name.test(key))?.[1] ?? 'is not known here')
  }
}
