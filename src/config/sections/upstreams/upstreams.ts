import type { Static } from '@sinclair/typebox'
import { suggest } from '../../../formats/text/nearest.ts'
import { type FieldValues, mapOf, optional, text } from '../../file/schema/fields.ts'
import type { SectionReader } from '../../file/section-reader.ts'
import { sentence } from '../../file/wording.ts'
import { capWordsOf } from '../../providers/cap-words.ts'
import { PRESETS, type Preset } from '../../providers/presets.ts'
import { providerOf } from '../../providers/provider-of.ts'
import { streamUsageOf } from '../../providers/stream-usage.ts'
import { vendorOf } from '../../providers/vendor.ts'
import { Secret } from '../../secret.ts'
import { baseUrlKind } from '../../text-kinds.ts'
import { BREAKER_DEFAULTS, type BREAKER_FIELDS, type BreakerSettings, breakerFromFile } from '../breaker.ts'
import { mergeTimeouts, type TIMEOUTS_FIELDS, type Timeouts, timeoutsFromFile } from '../timeouts.ts'
import { checkFromFile } from './check.ts'
import { concurrencyFromFile } from './concurrency.ts'
import { anthropicKeyHeaderOf, headersFromFile, keyHeaderFromFile, queryFromFile } from './headers.ts'
import { keysFromFile } from './keys.ts'
import { pathTemplateFault } from './path-template.ts'
import { UpstreamEntry, type UpstreamSettings } from './upstream.ts'

/** `upstreams` in the file. */
export const UPSTREAMS_FIELDS = {
  upstreams: optional(
    mapOf(UpstreamEntry, { minProperties: 1 }),
    'The upstreams, by names of letters, digits, ".", ":", "_" and "-".',
    { 'x-default': "the environment's", examples: [{ openai: { preset: 'openai' } }] },
  ),
}

/** `default_upstream` in the file. */
export const DEFAULT_UPSTREAM_FIELDS = {
  default_upstream: optional(text(), 'The upstream for what no model and no pin decides.', {
    'x-default': 'the first of upstreams',
    examples: ['openai'],
  }),
}

type UpstreamPart = Static<typeof UpstreamEntry>

/** The settings of the top level that hold for all upstreams. */
interface TopLevel {
  readonly timeouts: Timeouts
  readonly breaker: BreakerSettings
}

const NAME = /^[\w.:-]{1,64}$/

/**
 * The upstreams by the file; those of the environment (`base`) where it names none. Reports all their faults.
 *
 * The environment's upstreams keep their breaker, which never opens, unless the file has settings of breakers.
 */
export function upstreamsFromFile(
  reader: SectionReader,
  fields: FieldValues<typeof UPSTREAMS_FIELDS & typeof TIMEOUTS_FIELDS & typeof BREAKER_FIELDS>,
  base: readonly UpstreamSettings[],
): readonly UpstreamSettings[] {
  const top = { timeouts: timeoutsFromFile(fields), breaker: breakerFromFile(reader, fields, BREAKER_DEFAULTS) }
  if (!reader.at('upstreams').isWritten()) {
    return base.map((upstream) => ({
      ...upstream,
      timeouts: mergeTimeouts(upstream.timeouts, top.timeouts),
      breaker: fields.breaker === undefined ? upstream.breaker : top.breaker,
    }))
  }
  return Object.entries(fields.upstreams ?? {}).map(([name, part]) =>
    upstreamFromFile(reader.at('upstreams', name), name, part, top),
  )
}

/** Gives the upstream's name for requests that no model and no pin decides; `base` is the environment's. Reports an unknown name. */
export function defaultUpstreamFromFile(
  reader: SectionReader,
  { default_upstream: name }: FieldValues<typeof DEFAULT_UPSTREAM_FIELDS>,
  upstreams: readonly UpstreamSettings[],
  base: string,
): string {
  checkUpstreamName(reader.at('default_upstream'), name)
  return name ?? (reader.at('upstreams').isWritten() ? upstreams[0]?.name : undefined) ?? base
}

/** Reports a name that is no upstream's, at the place of `reader`; undefined is no name. */
export function checkUpstreamName(reader: SectionReader, name: string | undefined): void {
  // Where no upstream is known, the fault of `upstreams` has been reported already.
  if (name === undefined || reader.upstreamNames.length === 0 || reader.upstreamNames.includes(name)) return
  const cure = suggest(name, reader.upstreamNames, 'Name an entry of upstreams.')
  reader.report({ wrong: sentence(reader.show(name), 'is no upstream'), cure })
}

function upstreamFromFile(reader: SectionReader, name: string, part: UpstreamPart, top: TopLevel): UpstreamSettings {
  if (!NAME.test(name)) {
    const cure = 'Use letters, digits, ".", ":", "_" and "-"; at most 64 characters.'
    reader.report({ wrong: 'has a name that cannot be used', cure }, 'key')
  }
  const preset = part.preset === undefined ? undefined : PRESETS.get(part.preset)
  const { auth, keys, keyNames } = keysFromFile(reader, part, preset)
  const keyHeader = keyHeaderFromFile(reader, part, preset)
  const baseUrl = readBaseUrl(reader, part, preset)
  const vendor = vendorOf(baseUrl, part.preset)
  return {
    name,
    baseUrl,
    vendor,
    provider: providerOf(baseUrl, part.preset),
    auth,
    keys,
    keyNames,
    keyHeader,
    anthropicKeyHeader: part.key_header === undefined ? anthropicKeyHeaderOf(baseUrl, preset, keyHeader) : keyHeader,
    headers: headersFromFile(reader, part, auth === 'none' ? undefined : keyHeader),
    query: queryFromFile(reader, part, preset),
    modelPath: readModelPath(reader, part) ?? preset?.modelPath,
    timeouts: timeoutsFromFile(part, top.timeouts),
    tlsCa: readTlsCa(reader, part),
    proxy: readProxy(reader, part),
    concurrency: concurrencyFromFile(part),
    breaker: breakerFromFile(reader, part, top.breaker),
    check: checkFromFile(reader, part, baseUrl, preset),
    lacks: part.fit_params === false ? undefined : preset?.facts?.lacks,
    capWords: capWordsOf(preset?.name ?? vendor),
    streamUsage: streamUsageOf(preset?.name ?? vendor, part.include_usage),
    servesAnyModel: preset?.facts?.servesAnyModel === true || preset?.modelPath !== undefined,
  }
}

function readBaseUrl(reader: SectionReader, part: UpstreamPart, preset: Preset | undefined): string {
  const at = reader.at('base_url')
  if (part.base_url !== undefined) {
    const parsed = baseUrlKind.parse(part.base_url.trim())
    if (parsed.ok) return parsed.value
    // The same kind reads the environment, so its cures name variables.
    at.report({ ...parsed.fault, cure: parsed.fault.cure.replace('OPENAI_API_KEY', 'api_key') })
  } else if (preset?.baseUrl === undefined && !at.isWritten() && !isBadPreset(reader, part)) {
    const cure =
      preset === undefined
        ? 'Add base_url, such as https://api.example.com/v1, or a preset.'
        : `Add base_url: with ${preset.title}, it is yours alone.`
    reader.report({ wrong: 'has no base_url', cure }, 'key')
  }
  return preset?.baseUrl ?? ''
}

/** Whether the preset is unknown: its consequences are not reported as well. */
function isBadPreset(reader: SectionReader, part: UpstreamPart): boolean {
  return part.preset === undefined && reader.at('preset').isWritten()
}

function readModelPath(reader: SectionReader, part: UpstreamPart): string | undefined {
  const fault = part.path === undefined ? undefined : pathTemplateFault(part.path)
  if (fault !== undefined) reader.at('path').report(fault)
  return part.path
}

function readTlsCa(reader: SectionReader, part: UpstreamPart): string | undefined {
  if (part.tls_ca === undefined) return undefined
  const at = reader.at('tls_ca')
  const text = at.readFile(part.tls_ca)
  if (text !== undefined && !/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(text)) {
    const cure = 'Name the authorities: -----BEGIN CERTIFICATE-----'
    at.report({ wrong: 'names a file without a PEM certificate', cure })
  }
  return text
}

function readProxy(reader: SectionReader, part: UpstreamPart): UpstreamSettings['proxy'] {
  const text = part.proxy?.trim()
  if (text === undefined || text === 'none') return text
  const url = URL.parse(text)
  const isProxy = url !== null && /^https?:$/.test(url.protocol) && /^https?:\/\/[^/]/i.test(text)
  if (!isProxy || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    const cure = 'Write its URL, such as http://proxy:3128, with nothing behind the port; or none.'
    reader.at('proxy').report({ wrong: 'is no URL of a proxy', cure })
  }
  return new Secret(text)
}
