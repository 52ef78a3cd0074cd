import { cacheStore, pathList } from './answer-kinds.ts'
import { row } from './env-row.ts'
import { byteSize, choice, duration, integer, MIB } from './scalar-kinds.ts'

/** The variables about what is done with requests and answers on the way: the cache, extensions, idempotency. */
export const ANSWERING_ENV = {
  CACHE: row({
    name: 'CACHE',
    kind: cacheStore,
    default: undefined,
    defaultNote: 'off',
    doc: 'Where answers are kept: memory, sqlite:PATH, redis://HOST:PORT.',
    example: 'memory',
  }),
  CACHE_TTL: row({
    name: 'CACHE_TTL',
    kind: duration,
    default: 3_600_000,
    unit: 'ms',
    doc: 'How long an answer is kept.',
    example: '10m',
  }),
  CACHE_MAX_BYTES: row({
    name: 'CACHE_MAX_BYTES',
    kind: byteSize,
    default: 256 * MIB,
    unit: 'bytes',
    doc: 'The most that the cache holds.',
    example: '1GiB',
  }),
  CACHE_MAX_ENTRIES: row({
    name: 'CACHE_MAX_ENTRIES',
    kind: integer(1, 100_000_000),
    default: 100_000,
    doc: 'The most answers that the cache holds.',
    example: '10000',
  }),
  CACHE_SCOPE_REQUESTS: row({
    name: 'CACHE_SCOPE_REQUESTS',
    kind: choice(['deterministic', 'all']),
    default: 'deterministic',
    doc: 'Which requests are for the cache: those that ask for the same answer each time, or all.',
    example: 'all',
  }),
  EXTENSIONS: row({
    name: 'EXTENSIONS',
    kind: pathList,
    default: [],
    doc: 'Extensions: TypeScript files with your own logic, by comma, in their order.',
    example: './a.ts,./b.ts',
  }),
  ON_CLIENT_DISCONNECT: row({
    name: 'ON_CLIENT_DISCONNECT',
    kind: choice(['cancel', 'drain']),
    default: 'cancel',
    doc: 'Whether a call with an Idempotency-Key runs on when its client has left.',
    example: 'drain',
  }),
  IDEMPOTENCY_WINDOW_MS: row({
    name: 'IDEMPOTENCY_WINDOW_MS',
    kind: duration,
    default: 600_000,
    unit: 'ms',
    doc: 'How long the answer to an Idempotency-Key can be fetched again. 0: the header only passes.',
    example: '60s',
  }),
} as const
