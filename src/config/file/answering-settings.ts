import { cacheStore } from '../answer-kinds.ts'
import { type AnsweringSettings, EXTENSION_DEFAULTS } from '../answering-defaults.ts'
import { Secret } from '../secret.ts'
import type { CacheSettings, ExtensionSettings } from '../settings.ts'
import { besideFile } from './named-file.ts'
import type { ConfigFile } from './schema.ts'
import type { Scope } from './scope.ts'

/** What is done with requests and answers on the way: what the file does not say is the environment's. */
export function toAnswering(scope: Scope): AnsweringSettings {
  const { config, base } = scope
  return {
    cache: toCache(scope, config.cache, base.cache),
    extensions: config.extensions?.map((entry) => toExtension(scope, entry)) ?? base.extensions,
    idempotencyMs: config.idempotency_window ?? base.idempotencyMs,
    onDisconnect: config.on_client_disconnect ?? base.onDisconnect,
  }
}

function toCache(scope: Scope, section: ConfigFile['cache'], wider: CacheSettings): CacheSettings {
  if (section === undefined) return wider
  if (section === false) return { ...wider, store: undefined }
  const store = section.store === undefined ? (wider.store ?? new Secret('memory')) : takeStore(scope, section.store)
  const settings: CacheSettings = {
    store,
    bytesMax: section.max_bytes ?? wider.bytesMax,
    entriesMax: section.max_entries ?? wider.entriesMax,
    answerBytesMax: section.max_answer_bytes ?? wider.answerBytesMax,
    ttlMs: section.ttl ?? wider.ttlMs,
    ttlMaxMs: section.ttl_max ?? wider.ttlMaxMs,
    requests: section.requests ?? wider.requests,
    scope: section.scope ?? wider.scope,
    pace: section.pace ?? wider.pace,
  }
  if (settings.ttlMs > settings.ttlMaxMs) {
    scope.add(
      ['cache'],
      { wrong: 'has a ttl longer than its ttl_max', cure: 'Set ttl_max to as much, or more.' },
      'key',
    )
  }
  return settings
}

function takeStore(scope: Scope, text: string): Secret | undefined {
  const parsed = cacheStore.parse(text)
  if (parsed.ok) return parsed.value
  scope.add(['cache', 'store'], parsed.fault)
  return undefined
}

type ExtensionEntry = NonNullable<ConfigFile['extensions']>[number]

function toExtension({ file }: Scope, entry: ExtensionEntry): ExtensionSettings {
  if (typeof entry === 'string') return { ...EXTENSION_DEFAULTS, path: besideFile(file, entry) }
  return {
    path: besideFile(file, entry.path),
    options: entry.options ?? EXTENSION_DEFAULTS.options,
    onError: entry.on_error ?? EXTENSION_DEFAULTS.onError,
    timeoutMs: entry.timeout ?? EXTENSION_DEFAULTS.timeoutMs,
  }
}
