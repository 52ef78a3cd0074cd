import { baseUrl as baseUrlKind } from '../address-kinds.ts'
import { capWordsOf } from '../cap-words.ts'
import { PRESETS, type Preset } from '../presets.ts'
import { Secret } from '../secret.ts'
import type { BreakerSettings, Timeouts, UpstreamSettings } from '../settings.ts'
import { vendorOf } from '../vendor.ts'
import { takeCheck } from './check-settings.ts'
import type { UpstreamPart } from './parts.ts'
import type { Path } from './path.ts'
import { pathTemplateFault } from './path-template.ts'
import { QUEUE_DEFAULTS } from './resilience-defaults.ts'
import { mergeTimeouts, toBreaker, toTimeouts } from './resilience-settings.ts'
import type { Scope } from './scope.ts'
import { takeHeaders, takeKeyHeader, takeQuery } from './upstream-headers.ts'
import { takeAuth } from './upstream-keys.ts'

/** What the top level of a file says for all its upstreams. */
export interface UpstreamDefaults {
  readonly timeouts: Timeouts
  readonly breaker: BreakerSettings
}

const NAME = /^[\w.:-]{1,64}$/

/**
 * The upstreams of a file, or the environment's where it has none. Reports all that is wrong with them.
 *
 * The environment's keep their breaker, which never opens, unless the file says something about breakers.
 */
export function toUpstreams(scope: Scope, defaults: UpstreamDefaults): readonly UpstreamSettings[] {
  const { upstreams, breaker } = scope.config
  if (!scope.isWritten(['upstreams'])) {
    return scope.base.upstreams.map((upstream) => ({
      ...upstream,
      timeouts: mergeTimeouts(upstream.timeouts, defaults.timeouts),
      breaker: breaker === undefined ? upstream.breaker : defaults.breaker,
    }))
  }
  return Object.entries(upstreams ?? {}).map(([name, part]) => toUpstream(scope, name, part, defaults))
}

function toUpstream(scope: Scope, name: string, part: UpstreamPart, defaults: UpstreamDefaults): UpstreamSettings {
  const path = ['upstreams', name]
  if (!NAME.test(name)) {
    const cure = 'Use letters, digits, ".", ":", "_" and "-"; at most 64 characters.'
    scope.add(path, { wrong: 'has a name that cannot be used', cure }, 'key')
  }
  const preset = part.preset === undefined ? undefined : PRESETS.get(part.preset)
  const { auth, keys, keyNames } = takeAuth(scope, path, part, preset)
  const keyHeader = takeKeyHeader(scope, path, part, preset)
  const baseUrl = takeBaseUrl(scope, path, part, preset)
  const vendor = vendorOf(baseUrl, part.preset)
  return {
    name,
    baseUrl,
    vendor,
    auth,
    keys,
    keyNames,
    keyHeader,
    headers: takeHeaders(scope, path, part, { auth, keyHeader }),
    query: takeQuery(scope, path, part, preset),
    modelPath: takeModelPath(scope, path, part) ?? preset?.modelPath,
    timeouts: mergeTimeouts(toTimeouts(part.timeouts), defaults.timeouts),
    tlsCa: takeTlsCa(scope, path, part),
    proxy: takeProxy(scope, path, part),
    concurrency: toConcurrency(part),
    breaker: toBreaker(scope, [...path, 'breaker'], part.breaker, defaults.breaker),
    check: takeCheck(scope, path, part, baseUrl, preset),
    lacks: part.fit_params === false ? undefined : preset?.facts?.lacks,
    capWords: toCapWords(preset?.name ?? vendor),
    servesAnyModel: preset?.facts?.servesAnyModel === true || preset?.modelPath !== undefined,
  }
}

function toCapWords(preset: string | undefined): UpstreamSettings['capWords'] {
  return preset === undefined ? undefined : capWordsOf(preset)
}

function takeBaseUrl(scope: Scope, path: Path, part: UpstreamPart, preset: Preset | undefined): string {
  const at = [...path, 'base_url']
  if (part.base_url !== undefined) {
    const parsed = baseUrlKind.parse(part.base_url.trim())
    if (parsed.ok) return parsed.value
    // The same kind reads the environment, whose names its cures speak.
    scope.add(at, { ...parsed.fault, cure: parsed.fault.cure.replace('OPENAI_API_KEY', 'api_key') })
  } else if (preset?.baseUrl === undefined && !scope.isWritten(at) && !isBadPreset(scope, path, part)) {
    const cure =
      preset === undefined
        ? 'Add base_url, such as https://api.example.com/v1, or a preset.'
        : `Add base_url: with ${preset.title}, it is yours alone.`
    scope.add(path, { wrong: 'has no base_url', cure }, 'key')
  }
  return preset?.baseUrl ?? ''
}

/** Whether a preset is written that is none: what follows from it is not to be reported, too. */
function isBadPreset(scope: Scope, path: Path, part: UpstreamPart): boolean {
  return part.preset === undefined && scope.isWritten([...path, 'preset'])
}

function takeModelPath(scope: Scope, path: Path, part: UpstreamPart): string | undefined {
  const fault = part.path === undefined ? undefined : pathTemplateFault(part.path)
  if (fault !== undefined) scope.add([...path, 'path'], fault)
  return part.path
}

function takeTlsCa(scope: Scope, path: Path, part: UpstreamPart): string | undefined {
  if (part.tls_ca === undefined) return undefined
  const text = scope.readFile([...path, 'tls_ca'], part.tls_ca)
  if (text !== undefined && !/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(text)) {
    const cure = 'Name the authorities: -----BEGIN CERTIFICATE-----'
    scope.add([...path, 'tls_ca'], { wrong: 'names a file without a PEM certificate', cure })
  }
  return text
}

function takeProxy(scope: Scope, path: Path, part: UpstreamPart): UpstreamSettings['proxy'] {
  const text = part.proxy?.trim()
  if (text === undefined || text === 'none') return text
  const url = URL.parse(text)
  const isProxy = url !== null && /^https?:$/.test(url.protocol) && /^https?:\/\/[^/]/i.test(text)
  if (!isProxy || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    const cure = 'Write its URL, such as http://proxy:3128, with nothing behind the port; or none.'
    scope.add([...path, 'proxy'], { wrong: 'is no URL of a proxy', cure })
  }
  return new Secret(text)
}

function toConcurrency({ concurrency }: UpstreamPart): UpstreamSettings['concurrency'] {
  if (concurrency === undefined) return undefined
  const { max, queue = QUEUE_DEFAULTS.queue, queue_timeout: queueMs = QUEUE_DEFAULTS.queueMs } = concurrency
  return { max, queue, queueMs }
}
