import { Type } from '@sinclair/typebox'
import { type EnvReader, type EnvRow, row } from '../env-reader.ts'
import { closed, duration, type FieldValues, optional } from '../file/schema/fields.ts'
import { durationKind, integer } from '../scalar-kinds.ts'

/** Time limits of one call; undefined: the next wider scope's (target's model, then upstream, then environment). */
export interface Timeouts {
  readonly firstByteMs: number | undefined
  readonly streamIdleMs: number | undefined
  readonly totalMs: number | undefined
}

/** The time limits of the whole server, which only the environment sets; 0: no limit. */
export interface ServerTimeouts {
  readonly firstByteMs: number
  readonly streamIdleMs: number
  readonly uploadIdleMs: number
  readonly writeIdleMs: number
  readonly totalMs: number
  readonly drainMs: number
}

/** No time limits: the next wider scope's hold. */
export const NO_TIMEOUTS: Timeouts = { firstByteMs: undefined, streamIdleMs: undefined, totalMs: undefined }

/** The variables of time limits, and of the rate that belongs to one of them. */
export const TIMEOUTS_ENV = {
  FIRST_BYTE_TIMEOUT_MS: limit('FIRST_BYTE_TIMEOUT_MS', 600_000, "Wait for the upstream's response headers."),
  STREAM_IDLE_TIMEOUT_MS: limit(
    'STREAM_IDLE_TIMEOUT_MS',
    300_000,
    "Silence in an upstream's answer; a JSON answer of up to 64 KiB has to be whole within it.",
  ),
  UPLOAD_IDLE_TIMEOUT_MS: limit('UPLOAD_IDLE_TIMEOUT_MS', 30_000, 'Pause of a client within its request body.'),
  UPLOAD_MIN_RATE: row({
    name: 'UPLOAD_MIN_RATE',
    kind: integer(0, 1_000_000_000),
    default: 256,
    unit: 'bytes/s',
    doc: 'Least rate of a request body, over any UPLOAD_IDLE_TIMEOUT_MS in which it is waited for. 0: any.',
    example: '1024',
  }),
  WRITE_IDLE_TIMEOUT_MS: limit('WRITE_IDLE_TIMEOUT_MS', 60_000, 'Pause of a client that takes nothing of its answer.'),
  TOTAL_TIMEOUT_MS: limit('TOTAL_TIMEOUT_MS', 0, 'Whole exchange, from its first to its last byte.'),
  DRAIN_TIMEOUT_MS: limit('DRAIN_TIMEOUT_MS', 60_000, 'Time for exchanges in flight to finish after SIGTERM.'),
} as const

/** `timeouts`, as it stands at the top level, with an upstream, and with a model. */
export const TimeoutsSection = closed('timeouts', {
  first_byte: optional(duration(), "Wait for the upstream's response headers; 0: no limit.", { examples: ['60s'] }),
  stream_idle: optional(duration(), "Silence in an upstream's answer; 0: no limit.", { examples: ['60s'] }),
  total: optional(duration(), 'Whole exchange, from its first to its last byte; 0: no limit.', { examples: ['120s'] }),
})

/** `timeouts` at the top level of the file. */
export const TIMEOUTS_FIELDS = {
  timeouts: optional(TimeoutsSection, 'Time limits of one call.', { 'x-default': "the environment's" }),
}

/** `client_deadline` in the file. */
export const CLIENT_DEADLINE_FIELDS = {
  client_deadline: optional(Type.Boolean(), "Whether the SDKs' own timeouts end a request here, too.", {
    default: true,
  }),
}

/** The time limits of the server. */
export function timeoutsFromEnv({ take }: EnvReader): ServerTimeouts {
  return {
    firstByteMs: take(TIMEOUTS_ENV.FIRST_BYTE_TIMEOUT_MS),
    streamIdleMs: take(TIMEOUTS_ENV.STREAM_IDLE_TIMEOUT_MS),
    uploadIdleMs: take(TIMEOUTS_ENV.UPLOAD_IDLE_TIMEOUT_MS),
    writeIdleMs: take(TIMEOUTS_ENV.WRITE_IDLE_TIMEOUT_MS),
    totalMs: take(TIMEOUTS_ENV.TOTAL_TIMEOUT_MS),
    drainMs: take(TIMEOUTS_ENV.DRAIN_TIMEOUT_MS),
  }
}

/** The time limits of one scope of the file: those that it does not set are the `wider` scope's. */
export function timeoutsFromFile(
  { timeouts: section }: FieldValues<typeof TIMEOUTS_FIELDS>,
  wider: Timeouts = NO_TIMEOUTS,
): Timeouts {
  return mergeTimeouts(
    { firstByteMs: section?.first_byte, streamIdleMs: section?.stream_idle, totalMs: section?.total },
    wider,
  )
}

/** Whether the SDKs' own timeouts end a request here, too, by the file. */
export function clientDeadlineFromFile({
  client_deadline: written,
}: FieldValues<typeof CLIENT_DEADLINE_FIELDS>): boolean {
  return written ?? true
}

/** Time limits of which those that are undefined are another scope's. */
export function mergeTimeouts(own: Timeouts, wider: Timeouts): Timeouts {
  return {
    firstByteMs: own.firstByteMs ?? wider.firstByteMs,
    streamIdleMs: own.streamIdleMs ?? wider.streamIdleMs,
    totalMs: own.totalMs ?? wider.totalMs,
  }
}

function limit(name: string, defaultMs: number, doc: string): EnvRow<number, number> {
  return { name, kind: durationKind, default: defaultMs, unit: 'ms', doc: `${doc} 0: no limit.`, example: '120000' }
}
