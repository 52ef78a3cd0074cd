import { type Static, Type } from '@sinclair/typebox'
import { type EnvReader, row } from '../env-reader.ts'
import {
  closed,
  duration,
  type FieldValues,
  optional,
  orFalse,
  text,
  words,
  writeDuration,
} from '../file/schema/fields.ts'
import type { SectionReader } from '../file/section-reader.ts'
import { byteSize, choice, durationKind, integer, type Kind, MIB, right, wrong } from '../scalar-kinds.ts'
import { Secret } from '../secret.ts'

const REQUESTS = ['deterministic', 'all'] as const
const SCOPES = ['principal', 'shared'] as const
const PACES = ['instant', 'original'] as const

/** The settings of the cache: its store, the answers that it keeps, and their scope. */
export interface CacheSettings {
  /** `memory`, `sqlite:PATH`, or `redis://…` and `rediss://…`, which may hold a password; undefined: answers are not kept. */
  readonly store: Secret | undefined
  readonly bytesMax: number
  readonly entriesMax: number
  /** A larger answer is not kept. */
  readonly answerBytesMax: number
  readonly ttlMs: number
  /** The longest time that a caller may ask for. */
  readonly ttlMaxMs: number
  /** Only requests that ask for the same answer each time, or all. */
  readonly requests: (typeof REQUESTS)[number]
  /** Whether each principal has answers of its own, or all share them. */
  readonly scope: (typeof SCOPES)[number]
  /** Whether a kept stream comes at once, or with the pauses that it had. */
  readonly pace: (typeof PACES)[number]
}

/** The default settings of the cache: it is off. */
export const CACHE_DEFAULTS: CacheSettings = {
  store: undefined,
  bytesMax: 256 * MIB,
  entriesMax: 100_000,
  answerBytesMax: 8 * MIB,
  ttlMs: 3_600_000,
  ttlMaxMs: 30 * 86_400_000,
  requests: 'deterministic',
  scope: 'principal',
  pace: 'instant',
}

/** The store of answers: `memory`, `sqlite:PATH`, `redis://…`, `rediss://…`, or `off`. It may hold a password: never shown. */
const store: Kind<Secret | undefined> = {
  label: 'store',
  isSecret: true,
  parse(written) {
    if (/^(off|none|false)$/i.test(written)) return right(undefined)
    if (/^(memory|sqlite:.+|rediss?:\/\/.+)$/.test(written)) return right(new Secret(written))
    return wrong('is no store that there is', 'Use memory, sqlite:PATH, redis://HOST:PORT, rediss://HOST:PORT or off.')
  },
}

/** The variables of the cache. */
export const CACHE_ENV = {
  CACHE: row({
    name: 'CACHE',
    kind: store,
    default: CACHE_DEFAULTS.store,
    defaultNote: 'off',
    doc: 'Where answers are kept: memory, sqlite:PATH, redis://HOST:PORT.',
    example: 'memory',
  }),
  CACHE_TTL: row({
    name: 'CACHE_TTL',
    kind: durationKind,
    default: CACHE_DEFAULTS.ttlMs,
    unit: 'ms',
    doc: 'How long an answer is kept.',
    example: '10m',
  }),
  CACHE_MAX_BYTES: row({
    name: 'CACHE_MAX_BYTES',
    kind: byteSize,
    default: CACHE_DEFAULTS.bytesMax,
    unit: 'bytes',
    doc: 'The most that the cache holds.',
    example: '1GiB',
  }),
  CACHE_MAX_ENTRIES: row({
    name: 'CACHE_MAX_ENTRIES',
    kind: integer(1, 100_000_000),
    default: CACHE_DEFAULTS.entriesMax,
    doc: 'The most answers that the cache holds.',
    example: '10000',
  }),
  CACHE_SCOPE_REQUESTS: row({
    name: 'CACHE_SCOPE_REQUESTS',
    kind: choice(REQUESTS),
    default: CACHE_DEFAULTS.requests,
    doc: 'Which requests are for the cache: those that ask for the same answer each time, or all.',
    example: 'all',
  }),
} as const

const size = () => Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

const CacheSection = closed('cache', {
  store: optional(text(), 'Where they are: memory, sqlite:PATH, redis://HOST:PORT or rediss://HOST:PORT.', {
    'x-default': 'CACHE, else memory',
    examples: ['memory'],
  }),
  ttl: optional(duration(1), 'How long an answer is kept.', { 'x-default': 'CACHE_TTL' }),
  ttl_max: optional(duration(1), 'The most that a caller may ask for by x-nexcode-cache-ttl.', {
    default: writeDuration(CACHE_DEFAULTS.ttlMaxMs),
  }),
  max_bytes: optional(size(), 'The most that the cache holds.', { 'x-default': 'CACHE_MAX_BYTES' }),
  max_entries: optional(size(), 'The most answers that the cache holds.', { 'x-default': 'CACHE_MAX_ENTRIES' }),
  max_answer_bytes: optional(size(), 'A larger answer is not kept.', { default: CACHE_DEFAULTS.answerBytesMax }),
  requests: optional(
    words(REQUESTS),
    'Which requests are for the cache: those that ask for the same answer each time (temperature 0 or a seed, embeddings, moderations, models), or all.',
    { 'x-default': 'CACHE_SCOPE_REQUESTS' },
  ),
  scope: optional(
    words(SCOPES),
    "Whether answers are each principal's own; shared: whoever may call gets what others' requests were answered.",
    { default: CACHE_DEFAULTS.scope },
  ),
  pace: optional(words(PACES), 'Whether a kept stream comes at once, or with its times.', {
    default: CACHE_DEFAULTS.pace,
  }),
})

/** `cache` in the file. */
export const CACHE_FIELDS = {
  cache: optional(orFalse(CacheSection), 'Where answers are kept for later requests; false: nowhere.', {
    'x-default': 'CACHE, else off',
  }),
}

/** The settings of the cache by the environment alone. */
export function cacheFromEnv({ take }: EnvReader): CacheSettings {
  return {
    ...CACHE_DEFAULTS,
    store: take(CACHE_ENV.CACHE),
    bytesMax: take(CACHE_ENV.CACHE_MAX_BYTES),
    entriesMax: take(CACHE_ENV.CACHE_MAX_ENTRIES),
    ttlMs: take(CACHE_ENV.CACHE_TTL),
    requests: take(CACHE_ENV.CACHE_SCOPE_REQUESTS),
  }
}

/** The settings of the cache by the file, and by the environment (`base`) where the file has none. Reports a bad store or `ttl`. */
export function cacheFromFile(
  reader: SectionReader,
  { cache: section }: FieldValues<typeof CACHE_FIELDS>,
  base: CacheSettings,
): CacheSettings {
  if (section === undefined) return base
  if (section === false) return { ...base, store: undefined }
  const settings: CacheSettings = {
    store: readStore(reader.at('cache', 'store'), section, base),
    bytesMax: section.max_bytes ?? base.bytesMax,
    entriesMax: section.max_entries ?? base.entriesMax,
    answerBytesMax: section.max_answer_bytes ?? base.answerBytesMax,
    ttlMs: section.ttl ?? base.ttlMs,
    ttlMaxMs: section.ttl_max ?? base.ttlMaxMs,
    requests: section.requests ?? base.requests,
    scope: section.scope ?? base.scope,
    pace: section.pace ?? base.pace,
  }
  if (settings.ttlMs > settings.ttlMaxMs) {
    const fault = { wrong: 'has a ttl longer than its ttl_max', cure: 'Set ttl_max to as much, or more.' }
    reader.at('cache').report(fault, 'key')
  }
  return settings
}

function readStore(
  reader: SectionReader,
  section: Static<typeof CacheSection>,
  base: CacheSettings,
): CacheSettings['store'] {
  if (section.store === undefined) return base.store ?? new Secret('memory')
  const parsed = store.parse(section.store)
  if (parsed.ok) return parsed.value
  reader.report(parsed.fault)
  return undefined
}
