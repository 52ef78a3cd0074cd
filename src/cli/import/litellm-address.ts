import type { JsonObject } from '../../formats/json/json.ts'
import type { LitellmProvider } from './litellm-providers.ts'
import { type Hide, textOf, translateText, variable, variableOf } from './litellm-values.ts'
import { memberPath, type NoteUntranslated, UNNEEDED } from './untranslated.ts'

/** The tools to list untranslated parts, and to replace secrets by variables. */
export interface Tools {
  readonly note: NoteUntranslated
  readonly hide: Hide
}

/** The names of URL parameters whose values may be keys. */
const SECRET_PARAMETER = /key|token|sig|secret|password|code/i

/**
 * Gives the address settings of an upstream: the preset, the base URL, or both, and the query that each URL gets. undefined: the address
 * is unknown, and listed as untranslated.
 *
 * @example
 * const address = addressOf(provider, params, 'model_list[0].litellm_params', { note, hide })
 */
export function addressOf(
  provider: LitellmProvider,
  params: JsonObject,
  path: string,
  tools: Tools,
): JsonObject | undefined {
  const { note, hide } = tools
  const own = provider.preset === undefined ? {} : { preset: provider.preset }
  const query = queryOf(provider, params, path, tools)
  const parameters = query === undefined ? {} : { query }
  const { literal, basePath } = baseOf(params, path)
  if (literal === undefined) {
    if (provider.baseVariable !== undefined) {
      return { ...own, ...baseUrl(provider, variable(provider.baseVariable)), ...parameters }
    }
    if (provider.baseUrl !== undefined) return { base_url: provider.baseUrl, ...parameters }
    if (provider.preset !== undefined) return { ...own, ...parameters }
    note(memberPath(path, 'api_base'), 'is missing, and no base URL is known for this provider: it is left out')
    return undefined
  }
  if (params['base_url'] !== undefined && params['api_base'] !== undefined) {
    const isSame = textOf(params['base_url']) === literal
    note(memberPath(path, 'base_url'), isSame ? UNNEEDED : 'is passed over: api_base goes before it')
  }
  const url = URL.parse(literal)
  if (url !== null && (url.username !== '' || url.password !== '')) {
    return {
      ...own,
      base_url: hide(literal.replace(/[?#].*$/, ''), `${stemOf(provider)}_BASE_URL`, basePath),
      ...parameters,
    }
  }
  const name = variableOf(literal)
  const base = (name === undefined ? translateText(literal) : variable(name)).replace(/[?#].*$/, '').replace(/\/+$/, '')
  if (name !== undefined && (provider.preset === 'azure' || provider.path !== undefined)) {
    note(basePath, `needs a value of ${name} without a slash at its end`)
  }
  // Azure's newer API has OpenAI's own paths, and takes the key in Azure's header.
  if (provider.preset === 'azure' && /\/openai\/v1$/.test(base)) {
    return { base_url: base, key_header: 'api-key', ...parameters }
  }
  if (provider.preset === 'openai') return { base_url: base, ...parameters }
  return { ...own, ...baseUrl(provider, base), ...parameters }
}

/** Finds Azure's deployment in an `api_base`, which goes before the model's name; undefined: none. */
export function deploymentOf(provider: LitellmProvider, params: JsonObject): string | undefined {
  if (provider.preset !== 'azure') return undefined
  const name = /\/openai\/deployments\/([^/?#]+)/.exec(baseOf(params, '').literal ?? '')?.[1]
  return name === undefined || !/^[\w.-]+$/.test(name) ? undefined : name
}

/** Gives the stem of the names of variables for a provider's secrets. */
export function stemOf({ name }: LitellmProvider): string {
  return name.toUpperCase().replaceAll('-', '_')
}

function baseOf(params: JsonObject, path: string): { readonly literal: string | undefined; readonly basePath: string } {
  const ofApi = textOf(params['api_base'])
  return {
    literal: ofApi ?? textOf(params['base_url']),
    basePath: memberPath(path, ofApi === undefined ? 'base_url' : 'api_base'),
  }
}

function baseUrl(provider: LitellmProvider, base: string): JsonObject {
  if (provider.preset === 'azure') {
    return { base_url: `${base.replace(/\/openai(?:\/deployments(?:\/.*)?)?$/, '')}/openai` }
  }
  const path = provider.path ?? ''
  return { base_url: base.endsWith(path) ? base : `${base}${path}` }
}

/** Gives the query of the base URL; Azure's version goes before the one in it. */
function queryOf(
  provider: LitellmProvider,
  params: JsonObject,
  path: string,
  { note, hide }: Tools,
): JsonObject | undefined {
  const { literal = '', basePath } = baseOf(params, path)
  const from = literal.indexOf('?')
  const written = from === -1 ? '' : literal.slice(from + 1).replace(/#.*$/, '')
  const query: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(written)) {
    if (name === '') continue
    if (name in query) note(basePath, `has the parameter ${name} more than once: the last one is taken`)
    const isSecret = SECRET_PARAMETER.test(name) && variableOf(value) === undefined && value !== ''
    query[name] = isSecret ? hide(value, `${stemOf(provider)}_PARAMETER`, basePath) : translateText(value)
  }
  const version = textOf(params['api_version'])
  if (version !== undefined && provider.name === 'azure') query['api-version'] = translateText(version)
  else if (version !== undefined) note(memberPath(path, 'api_version'), 'is not there: it is Azure’s')
  return Object.keys(query).length === 0 ? undefined : query
}
