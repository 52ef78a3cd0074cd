import { row } from './env-row.ts'
import { byteSize, integer, MIB } from './scalar-kinds.ts'

/** More upstream requests than this are not in flight at once: what the runtime is told at the start. */
const IN_FLIGHT_MAX = 65_535

/** The variables about how much there may be: bytes of a request, requests and connections at once, repeats. */
export const LIMITS_ENV = {
  MAX_JSON_BYTES: row({
    name: 'MAX_JSON_BYTES',
    kind: byteSize,
    default: 64 * MIB,
    unit: 'bytes',
    doc: 'Largest request body that is read (chat and text completions, and what a configuration file has a say in).',
    example: '64MiB',
  }),
  MAX_UPLOAD_BYTES: row({
    name: 'MAX_UPLOAD_BYTES',
    kind: byteSize,
    default: 1024 * MIB,
    unit: 'bytes',
    doc: 'Largest request body that is streamed through (all other paths).',
    example: '1GiB',
  }),
  MAX_IN_FLIGHT: row({
    name: 'MAX_IN_FLIGHT',
    kind: integer(1, IN_FLIGHT_MAX),
    default: 4096,
    unit: 'requests',
    doc: 'Exchanges under way at once; more are answered 503.',
    example: '1000',
  }),
  MAX_CALLER_SHARE: row({
    name: 'MAX_CALLER_SHARE',
    kind: integer(1, 100),
    default: 50,
    unit: '%',
    doc: 'Part of MAX_IN_FLIGHT, and of nearly used up connections, that one caller may hold while others want some. 100: all.',
    example: '25',
  }),
  MAX_CONNECTIONS: row({
    name: 'MAX_CONNECTIONS',
    kind: integer(0, 10_000_000),
    default: 0,
    defaultNote: 'three quarters of the files that may be open',
    unit: 'connections',
    doc: 'Client connections at once; beyond, one that is idle is closed for the newcomer.',
    example: '10000',
  }),
  MAX_MEMORY_BYTES: row({
    name: 'MAX_MEMORY_BYTES',
    kind: byteSize,
    default: undefined,
    defaultNote: 'half of what the machine or the container has',
    unit: 'bytes',
    doc: 'Memory for all that is held, together. Beyond: 503, and clients that take nothing are cut.',
    example: '2GiB',
  }),
  MAX_FAILED_REPEATS: row({
    name: 'MAX_FAILED_REPEATS',
    kind: integer(0, 1_000_000),
    default: 12,
    unit: 'requests',
    doc: 'Failures within a minute of one request that its caller repeats; more of it are answered 429. 0: no limit.',
    example: '20',
  }),
} as const
