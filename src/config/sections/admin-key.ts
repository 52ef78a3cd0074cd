import { type EnvReader, row } from '../env-reader.ts'
import { type Kind, wrong } from '../scalar-kinds.ts'
import type { Secret } from '../secret.ts'
import { path, secret } from '../text-kinds.ts'

/** Short enough to be typed, long enough not to be guessed. */
const ADMIN_KEY_LENGTH_MIN = 32

/** A key that can manage: never shown. */
const adminKey: Kind<Secret> = {
  label: 'secret',
  isSecret: true,
  parse(written) {
    if (written.length >= ADMIN_KEY_LENGTH_MIN) return secret.parse(written)
    return wrong(`has fewer than ${ADMIN_KEY_LENGTH_MIN} characters`, 'Make one with: openssl rand -hex 32')
  },
}

/** The variables of the key that manages. */
export const ADMIN_KEY_ENV = {
  ADMIN_KEY: row({
    name: 'ADMIN_KEY',
    kind: adminKey,
    default: undefined,
    defaultNote: 'none',
    doc: 'Key that can manage the ledger by /v1/organization, and can call no model; at least 32 characters.',
    example: '"$(openssl rand -hex 32)"',
  }),
  ADMIN_KEY_FILE: row({
    name: 'ADMIN_KEY_FILE',
    kind: path,
    default: undefined,
    doc: 'File that holds ADMIN_KEY; read again when it changes.',
    example: '/run/secrets/admin_key',
  }),
} as const

/** The key that manages, by the environment. */
export function adminKeyFromEnv(reader: EnvReader): Secret | undefined {
  return reader.takeSecret(ADMIN_KEY_ENV.ADMIN_KEY, ADMIN_KEY_ENV.ADMIN_KEY_FILE)
}
