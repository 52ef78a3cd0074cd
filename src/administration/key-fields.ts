import { type Static, Type } from '@sinclair/typebox'
import { NO_LIMITS } from '../ledger/first-records.ts'
import { KEY_PREFIX } from '../ledger/key-format.ts'
import { makeId } from '../ledger/record-id.ts'
import type { KeyRecord, Limits } from '../ledger/records.ts'
import { ApiError } from '../openai/api-error.ts'
import type { AdminDeps } from './admin-route.ts'
import { LIMIT_FIELDS, limitsFrom } from './limit-fields.ts'
import { type NewSecret, newSecret } from './new-secret.ts'
import { closedFields, orNull } from './pages.ts'

/** The longest life of a key: a hundred years. */
const SECONDS_MAX = 3_153_600_000

/** A number of seconds from the request on. */
export const secondsFromNow = (minimum = 1) => Type.Integer({ minimum, maximum: SECONDS_MAX })
/** What a key may do, by OpenAI's scopes; none: all. */
export const SCOPES = Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: 100 })
/** The fields of a key that are ours. */
export const OWN_KEY_FIELDS = {
  ...LIMIT_FIELDS,
  metadata: orNull(Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 512 }), { maxProperties: 16 })),
}
const NewKey = closedFields({
  expires_in_seconds: orNull(secondsFromNow()),
  scopes: Type.Optional(SCOPES),
  ...OWN_KEY_FIELDS,
})

/** A new key: its record, and the only sight of its value. */
export interface NewKey {
  readonly record: KeyRecord
  readonly secret: NewSecret
}

/**
 * Makes a caller's key of the fields of a request.
 *
 * @example
 * const { record, secret } = newKey(body, { projectId, ownerId, name }, deps)
 */
export function newKey(
  fields: Static<typeof NewKey>,
  { projectId, ownerId, name }: Pick<KeyRecord, 'projectId' | 'ownerId' | 'name'>,
  deps: Pick<AdminDeps, 'now' | 'random' | 'sha256'>,
): NewKey {
  const secret = newSecret(KEY_PREFIX, deps)
  const createdAt = Math.floor(deps.now() / 1000)
  const { expires_in_seconds: seconds, metadata } = fields
  const record: KeyRecord = {
    kind: 'key',
    id: makeId('key_', deps),
    projectId,
    ownerId,
    name,
    digest: secret.digest,
    redacted: secret.redacted,
    createdAt,
    ...(typeof seconds === 'number' && { expiresAt: createdAt + seconds }),
    limits: withScopes(limitsFrom(fields, NO_LIMITS), fields.scopes),
    metadata: metadata ?? {},
    managedBy: 'api',
  }
  return { record, secret }
}

/** OpenAI's object of a new key, in which its value is shown this once. */
export function newKeyObject({ record, secret }: NewKey): object {
  return {
    object: 'organization.project.service_account.api_key',
    id: record.id,
    name: record.name,
    created_at: record.createdAt,
    expires_at: record.expiresAt ?? null,
    value: secret.show(),
  }
}

/** What the audit log says of a new key: what was asked for. */
export function keyCreated(
  { id, projectId, limits: { scopes = [] }, ownerId }: KeyRecord,
  { ...fields }: Readonly<Record<string, unknown>>,
) {
  return {
    type: 'api_key.created',
    projectId,
    resourceId: id,
    details: { id, data: { ...fields, scopes, owner_id: ownerId } },
  }
}

/** Limits with scopes in the place of those that were; none: all is allowed. */
export function withScopes({ scopes: before, ...limits }: Limits, scopes: readonly string[] | undefined): Limits {
  const now = scopes ?? before ?? []
  return now.length === 0 ? limits : { ...limits, scopes: now }
}

/** Refuses the fields of a key where none is made: they would be dropped. Throws `invalid_parameter`. */
export function refuseKeyFields(fields: Readonly<Record<string, unknown>>): void {
  const [param] = Object.entries(fields).find(([, value]) => value !== null && value !== undefined) ?? []
  if (param === undefined) return
  throw new ApiError('invalid_parameter', {
    message: `Invalid '${param}': it is of a key, and with 'create_service_account_only' none is made.`,
    param,
    code: 'invalid_value',
  })
}
