import { type EnvReader, row } from '../env-reader.ts'
import { byteSize, integer, MIB } from '../scalar-kinds.ts'
import { TIMEOUTS_ENV } from './timeouts.ts'

/** The limits on all requests at once, and on one request. */
export interface LimitSettings {
  readonly jsonBytesMax: number
  readonly uploadBytesMax: number
  readonly inFlightMax: number
  /** Percent of all places or connections that one caller may hold while others want some. 100: all. */
  readonly callerSharePercent: number
  /** 0: as many as the files that may be open allow. */
  readonly connectionsMax: number
  /** 0: a body may come at any rate. */
  readonly uploadBytesPerSecondMin: number
  /** Memory for all bodies and their parsed values, together. */
  readonly memoryBytesMax: number
  /** Failures of one request of one caller in a minute; 0: no limit. */
  readonly failedRepeatsMax: number
}

/** The most upstream requests in flight at once, as the runtime is told at the start. */
const IN_FLIGHT_MAX = 65_535

/** On a smaller machine half of the memory would be too little for one large body. */
const MEMORY_BYTES_MIN = 128 * MIB

/** The variables of limits. */
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

/** The limits of the server; `memoryBytes` says how much memory there is (1 GiB where absent), of which half is the default. */
export function limitsFromEnv({ take }: EnvReader, memoryBytes: () => number = () => 1024 * MIB): LimitSettings {
  return {
    jsonBytesMax: take(LIMITS_ENV.MAX_JSON_BYTES),
    uploadBytesMax: take(LIMITS_ENV.MAX_UPLOAD_BYTES),
    inFlightMax: take(LIMITS_ENV.MAX_IN_FLIGHT),
    callerSharePercent: take(LIMITS_ENV.MAX_CALLER_SHARE),
    connectionsMax: take(LIMITS_ENV.MAX_CONNECTIONS),
    uploadBytesPerSecondMin: take(TIMEOUTS_ENV.UPLOAD_MIN_RATE),
    memoryBytesMax: take(LIMITS_ENV.MAX_MEMORY_BYTES) ?? Math.max(MEMORY_BYTES_MIN, Math.floor(memoryBytes() / 2)),
    failedRepeatsMax: take(LIMITS_ENV.MAX_FAILED_REPEATS),
  }
}
