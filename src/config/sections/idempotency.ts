import { type EnvReader, row } from '../env-reader.ts'
import { duration, type FieldValues, optional, words } from '../file/schema/fields.ts'
import { choice, durationKind } from '../scalar-kinds.ts'

const ON_DISCONNECT = ['cancel', 'drain'] as const

/** The settings of calls with an `Idempotency-Key`. */
export interface IdempotencySettings {
  /** How long the answer can be fetched again; 0: the header only passes. */
  readonly windowMs: number
  /** Whether the call runs on when its client has left (`drain`). */
  readonly onDisconnect: (typeof ON_DISCONNECT)[number]
}

/** The default settings of idempotency. */
export const IDEMPOTENCY_DEFAULTS: IdempotencySettings = { windowMs: 600_000, onDisconnect: 'cancel' }

/** The variables of idempotency. */
export const IDEMPOTENCY_ENV = {
  ON_CLIENT_DISCONNECT: row({
    name: 'ON_CLIENT_DISCONNECT',
    kind: choice(ON_DISCONNECT),
    default: IDEMPOTENCY_DEFAULTS.onDisconnect,
    doc: 'Whether a call with an Idempotency-Key runs on when its client has left.',
    example: 'drain',
  }),
  IDEMPOTENCY_WINDOW_MS: row({
    name: 'IDEMPOTENCY_WINDOW_MS',
    kind: durationKind,
    default: IDEMPOTENCY_DEFAULTS.windowMs,
    unit: 'ms',
    doc: 'How long the answer to an Idempotency-Key can be fetched again. 0: the header only passes.',
    example: '60s',
  }),
} as const

/** `idempotency_window` and `on_client_disconnect` in the file. */
export const IDEMPOTENCY_FIELDS = {
  idempotency_window: optional(
    duration(),
    'How long the answer to an Idempotency-Key can be fetched again; 0: the header only passes.',
    { 'x-default': 'IDEMPOTENCY_WINDOW_MS' },
  ),
  on_client_disconnect: optional(
    words(ON_DISCONNECT),
    'Whether a call with an Idempotency-Key runs on when its client has left.',
    { 'x-default': 'ON_CLIENT_DISCONNECT' },
  ),
}

/** The settings of idempotency by the environment alone. */
export function idempotencyFromEnv({ take }: EnvReader): IdempotencySettings {
  return {
    windowMs: take(IDEMPOTENCY_ENV.IDEMPOTENCY_WINDOW_MS),
    onDisconnect: take(IDEMPOTENCY_ENV.ON_CLIENT_DISCONNECT),
  }
}

/** The settings of idempotency by the file, and by the environment (`base`) where the file has none. */
export function idempotencyFromFile(
  { idempotency_window: windowMs, on_client_disconnect: onDisconnect }: FieldValues<typeof IDEMPOTENCY_FIELDS>,
  base: IdempotencySettings,
): IdempotencySettings {
  return { windowMs: windowMs ?? base.windowMs, onDisconnect: onDisconnect ?? base.onDisconnect }
}
