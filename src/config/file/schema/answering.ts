import { Type } from '@sinclair/typebox'
import { CACHE_DEFAULTS, EXTENSION_DEFAULTS } from '../../answering-defaults.ts'
import { anyJson, closed, duration, optional, orFalse, required, text, words, writeDuration } from './fields.ts'

const size = () => Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

/** `cache`: where answers are kept; `false`: nowhere. */
export const CacheSection = orFalse(
  closed('cache', {
    store: optional(text(), 'Where they are: memory, sqlite:PATH, redis://HOST:PORT or rediss://HOST:PORT.', {
      'x-default': 'CACHE, else memory',
      examples: ['memory'],
    }),
    ttl: optional(duration(1), 'How long an answer is kept.', { 'x-default': 'CACHE_TTL' }),
    ttl_max: optional(duration(1), 'The most that a caller may ask for by x-nexcode-cache-ttl.', {
      default: '720h',
    }),
    max_bytes: optional(size(), 'The most that the cache holds.', { 'x-default': 'CACHE_MAX_BYTES' }),
    max_entries: optional(size(), 'The most answers that the cache holds.', { 'x-default': 'CACHE_MAX_ENTRIES' }),
    max_answer_bytes: optional(size(), 'A larger answer is not kept.', { default: CACHE_DEFAULTS.answerBytesMax }),
    requests: optional(
      words(['deterministic', 'all']),
      'Which requests are for the cache: those that ask for the same answer each time (temperature 0 or a seed, embeddings, moderations, models), or all.',
      { 'x-default': 'CACHE_SCOPE_REQUESTS' },
    ),
    scope: optional(
      words(['principal', 'shared']),
      "Whether answers are each principal's own; shared: whoever may call gets what others' requests were answered.",
      { default: CACHE_DEFAULTS.scope },
    ),
    pace: optional(words(['instant', 'original']), 'Whether a kept stream comes at once, or with its times.', {
      default: CACHE_DEFAULTS.pace,
    }),
  }),
)

const ExtensionEntry = Type.Union([
  text(),
  closed('extension', {
    path: required(text(), 'Its file, as seen from this file.', { examples: ['./extensions/mask.ts'] }),
    options: optional(anyJson(), 'What the extension itself is told; checked by its own schema, where it has one.', {
      default: {},
    }),
    on_error: optional(words(['fail', 'skip']), 'When it fails: an error, or the request goes on without it.', {
      default: EXTENSION_DEFAULTS.onError,
    }),
    timeout: optional(duration(), 'For its own work in one stretch; 0: no limit.', {
      default: writeDuration(EXTENSION_DEFAULTS.timeoutMs),
    }),
  }),
])

/** `extensions`: files with the user's own logic. */
export const ExtensionsSection = Type.Array(ExtensionEntry)
