import type { Secret } from '../config/secret.ts'
import type { DeclaredKey } from '../config/sections/declared-key.ts'
import type { DeclaredRecords, ProjectKey, ProjectSettings } from '../config/sections/projects.ts'
import type { UseLimits } from '../config/sections/use-limits.ts'
import { redactKey } from './key-format.ts'
import { OpenLedgerError } from './ledger.ts'
import type { AdminKeyRecord, KeyRecord, LedgerRecord, Limits, ProjectRecord, ServiceAccountRecord } from './records.ts'

/** SHA-256 of a text (FIPS 180-4). */
type Sha256 = (text: string) => Uint8Array

const SHOWN_CHARS = 4

/**
 * Makes the records of all that the configuration file declares. Their ids are made of their names, and so are the same after each start.
 * `now`: when those that are new are created, in seconds since 1970. Throws an `OpenLedgerError` where one key is declared twice, perhaps once as its
 * digest: it would be of two callers.
 *
 * @example
 * const records = declaredRecords(config.settings.records, sha256, now)
 */
export function declaredRecords(declared: DeclaredRecords, sha256: Sha256, now: number): readonly LedgerRecord[] {
  const records = [
    ...declared.projects.flatMap((project) => [
      projectRecord(project, now),
      ...project.keys.flatMap((key) => keyRecords(project, key, sha256, now)),
    ]),
    ...declared.adminKeys.map((key) => adminKeyRecord(key, sha256, now)),
  ]
  assertOnce(records)
  return records
}

function assertOnce(records: readonly LedgerRecord[]): void {
  const seen = new Map<string, string>()
  for (const record of records) {
    if (!('digest' in record)) continue
    const before = seen.get(record.digest)
    if (before !== undefined)
      throw new OpenLedgerError(
        `gets one key twice from the file: ${before} and ${record.id} have the same digest`,
        'Give each a key of its own: a key says who is calling.',
      )
    seen.set(record.digest, record.id)
  }
}

function projectRecord({ name, timeZone, environment, limits }: ProjectSettings, createdAt: number): ProjectRecord {
  return {
    kind: 'project',
    id: `proj_${name}`,
    name,
    createdAt,
    timeZone,
    ...(environment !== undefined && { environment }),
    limits: limitsOf(limits),
    managedBy: 'file',
  }
}

/** A key, and the service account that owns it. */
function keyRecords(
  project: ProjectSettings,
  key: ProjectKey,
  sha256: Sha256,
  createdAt: number,
): readonly [ServiceAccountRecord, KeyRecord] {
  const { name, limits, metadata } = key
  const projectId = `proj_${project.name}`
  const ownerId = `svc_acct_${project.name}.${name}`
  const common = { name, projectId, createdAt, managedBy: 'file' } as const
  return [
    { kind: 'service_account', id: ownerId, role: 'member', ...common },
    {
      kind: 'key',
      id: `key_${project.name}.${name}`,
      ...common,
      ownerId,
      ...digestOf(key, sha256),
      limits: limitsOf(limits),
      metadata,
    },
  ]
}

function adminKeyRecord(key: DeclaredKey, sha256: Sha256, createdAt: number): AdminKeyRecord {
  const { name } = key
  return { kind: 'admin_key', id: `key_admin.${name}`, name, createdAt, managedBy: 'file', ...digestOf(key, sha256) }
}

function digestOf(
  { secret, digest, expiresAt }: DeclaredKey,
  sha256: Sha256,
): { readonly digest: string; readonly redacted: string; readonly expiresAt?: number } {
  const expiry = expiresAt === undefined ? {} : { expiresAt }
  if (secret !== undefined) return { digest: digestText(secret, sha256), redacted: redactKey(secret), ...expiry }
  // Of a key that only its holder knows, the end of its digest is shown.
  return { digest: digest ?? '', redacted: `sha256:...${(digest ?? '').slice(-SHOWN_CHARS)}`, ...expiry }
}

function digestText(secret: Secret, sha256: Sha256): string {
  return sha256(secret.reveal()).toHex()
}

function limitsOf({ spend, rates, ...rest }: UseLimits): Limits {
  return {
    ...rest,
    spend: Object.fromEntries(Object.entries(spend).map(([window, amount]) => [window, BigInt(amount)])),
    rates: rates.map((rate) => ({ ...rate, id: `rl_${rate.model}` })),
  }
}
