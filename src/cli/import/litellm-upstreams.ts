import { PRESETS } from '../../config/providers/presets.ts'
import type { Json, JsonObject } from '../../formats/json/json.ts'
import { addressOf, stemOf, type Tools } from './litellm-address.ts'
import type { LitellmProvider } from './litellm-providers.ts'
import { numberAt, sectionOf, textOf, translateText, variable, variableOf } from './litellm-values.ts'
import { memberPath, UNNEEDED } from './untranslated.ts'

/** Placeholders that people write for a server without keys, because a client wants one. */
const NO_KEY = /^(?:none|null|na|n\/a|empty|dummy|fake-?key|no-?key|not-?needed|anything|ollama|lm-?studio)$/i
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/
const HEADER_VALUE = /^[\t\x20-\x7e]*$/
const SECRET_HEADER = /auth|key|token|secret|cookie|password/i
/** Headers that a gateway sets itself (RFC 9110 §7.6.1). */
const OWN_HEADER =
  /^(?:connection|content-length|content-type|host|keep-alive|proxy-\w+|te|trailer|transfer-encoding|upgrade)$/i

/** LiteLLM queues all calls over the limit, for as long as it takes. */
const WAITING = { queue: 65_535, queue_timeout: 0 }

/** The upstreams of a configuration, made as deployments name them. */
export interface Upstreams {
  /** Gives the name of the upstream for a deployment's `litellm_params`; undefined, and listed as untranslated, if there is none. */
  readonly nameFor: (
    provider: LitellmProvider,
    params: JsonObject,
    path: string,
    timeouts?: JsonObject,
  ) => string | undefined
  /** All upstreams by name, as sections of nexcode.yaml. */
  readonly all: () => JsonObject
}

/** An upstream that was made, and its limit on calls. */
interface Made {
  readonly name: string
  readonly entry: JsonObject
  concurrencyMax: number | undefined
}

/**
 * Makes one upstream for each distinct provider, address, key, version, organization, set of headers and time limits.
 *
 * @example
 * const upstreams = createUpstreams({ note, hide: createHide(note) })
 */
export function createUpstreams({ note, hide }: Tools): Upstreams {
  const made = new Map<string, Made>()
  const counts = new Map<string, number>()

  const make = (provider: LitellmProvider, key: string, entry: JsonObject, path: string): Made => {
    const count = (counts.get(provider.name) ?? 0) + 1
    counts.set(provider.name, count)
    const name = count === 1 ? provider.name : `${provider.name}-${count}`
    const upstream = { name, entry, concurrencyMax: undefined }
    made.set(key, upstream)
    if (provider.isTranslated === true) {
      const source = PRESETS.get(provider.name)?.source ?? ''
      note(path, `goes to the provider's own OpenAI-compatible API, which can do less than LiteLLM: see ${source}`)
    }
    return upstream
  }

  return {
    nameFor(provider, params, path, timeouts) {
      const found = entryOf(provider, params, path, { note, hide })
      if (found === undefined) return undefined
      const entry = timeouts === undefined ? found : { ...found, timeouts }
      const key = JSON.stringify([provider.name, entry])
      const upstream = made.get(key) ?? make(provider, key, entry, path)
      const max = numberAt(params, 'max_parallel_requests', path, note)
      if (max === 0) note(memberPath(path, 'max_parallel_requests'), UNNEEDED)
      if (max !== undefined && max >= 1) {
        const before = upstream.concurrencyMax
        if (before !== undefined) {
          note(
            memberPath(path, 'max_parallel_requests'),
            `holds for all models of upstream ${upstream.name} together there: the largest is taken`,
          )
        }
        upstream.concurrencyMax = Math.min(65_535, Math.max(Math.floor(max), before ?? 0))
      }
      return upstream.name
    },
    all: () =>
      Object.fromEntries(
        [...made.values()].map(({ name, entry, concurrencyMax }) => [
          name,
          concurrencyMax === undefined ? entry : { ...entry, concurrency: { max: concurrencyMax, ...WAITING } },
        ]),
      ),
  }
}

function entryOf(provider: LitellmProvider, params: JsonObject, path: string, tools: Tools): JsonObject | undefined {
  const address = addressOf(provider, params, path, tools)
  if (address === undefined) return undefined
  const preset = PRESETS.get(String(address['preset'] ?? ''))
  const { query, ...place } = address
  const headers = headersOf(provider, params, path, tools)
  const organization = textOf(params['organization'])
  const key = keyOf(provider, params, path, tools, preset?.needsKey ?? provider.baseUrl !== undefined)
  return {
    ...place,
    ...(key === undefined ? {} : { api_key: key }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(query === undefined ? {} : { query }),
    ...(organization === undefined ? {} : { organization: translateText(organization) }),
  }
}

function keyOf(
  provider: LitellmProvider,
  params: JsonObject,
  path: string,
  { note, hide }: Tools,
  needsKey: boolean,
): string | undefined {
  const literal = textOf(params['api_key'])
  if (literal === undefined) {
    const hasBase = params['api_base'] !== undefined || params['base_url'] !== undefined
    if (provider.keyVariable === undefined || !(needsKey || hasBase || provider.baseVariable !== undefined))
      return undefined
    return variable(provider.keyVariable)
  }
  if (NO_KEY.test(literal) && !needsKey) {
    note(memberPath(path, 'api_key'), UNNEEDED)
    return undefined
  }
  const name = variableOf(literal)
  return name === undefined ? hide(literal, `${stemOf(provider)}_KEY`, memberPath(path, 'api_key')) : variable(name)
}

function headersOf(provider: LitellmProvider, params: JsonObject, path: string, { note, hide }: Tools): JsonObject {
  const keyHeader = provider.name === 'azure' ? 'api-key' : 'authorization'
  const headers: Record<string, Json> = {}
  for (const section of ['headers', 'extra_headers']) {
    for (const [written, value] of Object.entries(sectionOf(params, section))) {
      const at = memberPath(memberPath(path, section), written)
      const name = written.toLowerCase()
      const text = textOf(value)
      if (OWN_HEADER.test(name)) note(at, 'is set by NexCode itself')
      else if (name === keyHeader) note(at, 'is the header that carries the key: it is left out, see `api_key`')
      else if (text === undefined || !HEADER_NAME.test(name) || !HEADER_VALUE.test(text)) {
        note(at, 'can not be sent as a header: its name has spaces, or its value other characters than ASCII')
      } else if (SECRET_HEADER.test(name) && variableOf(text) === undefined) {
        headers[name] = hide(text, `${stemOf(provider)}_HEADER`, at)
      } else headers[name] = translateText(text)
    }
  }
  return headers
}
