import type { Usage } from '../openai/usage/usage.ts'

/** Who may change a record: the administration API, or the configuration file alone. */
export type ManagedBy = 'api' | 'file'

/** A limit on calls to a model; `model`: a name with wildcards, `*` for all. A limit that is absent is none. */
export interface RateLimit {
  readonly id: string
  readonly model: string
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
  readonly requestsPerDay?: number
  readonly imagesPerMinute?: number
}

/** The models that may be used: names with wildcards. */
export interface ModelPermissions {
  readonly mode: 'allow_list' | 'deny_list'
  readonly models: readonly string[]
}

/** The most that may be spent in each calendar window, in nano-dollars. A window that is absent has no limit. */
export interface SpendLimits {
  readonly day?: bigint
  readonly week?: bigint
  readonly month?: bigint
  readonly total?: bigint
}

/** The limits of a key or a project. */
export interface Limits {
  readonly spend: SpendLimits
  readonly rates: readonly RateLimit[]
  readonly models?: ModelPermissions
  /** The endpoints that may be called, as wildcards of paths below `/v1`; absent: all, but those that can't be metered where there is a spend limit. */
  readonly endpoints?: readonly string[]
  /** Calls under way at once. */
  readonly concurrency?: number
  /** What a key may do, by OpenAI's scopes; absent: all. */
  readonly scopes?: readonly string[]
}

/** A project: keys that share limits and books. Times are in seconds since 1970. */
export interface ProjectRecord {
  readonly kind: 'project'
  readonly id: string
  readonly name: string
  readonly createdAt: number
  readonly archivedAt?: number
  /** The IANA time zone of its windows. */
  readonly timeZone: string
  readonly environment?: string
  readonly externalKeyId?: string
  readonly limits: Limits
  readonly managedBy: ManagedBy
}

/** The owner of keys that are no person's. */
export interface ServiceAccountRecord {
  readonly kind: 'service_account'
  readonly id: string
  readonly projectId: string
  readonly name: string
  readonly role: 'member' | 'owner' | 'none'
  readonly createdAt: number
  readonly managedBy: ManagedBy
}

/** A digest under which a key was known before it was rotated: the former secret is good for the grace time. */
export interface FormerDigest {
  /** In hex. */
  readonly digest: string
  /** From then on it is refused, in seconds since 1970. */
  readonly until: number
}

/** A caller's key. Its secret is not kept, only its digest. */
export interface KeyRecord {
  readonly kind: 'key'
  readonly id: string
  readonly projectId: string
  readonly ownerId: string
  readonly name: string
  /** SHA-256 of the key, in hex. */
  readonly digest: string
  /** What may be shown of it. */
  readonly redacted: string
  /** The digests of its secrets before it was rotated, the newest first. One whose time is over stays for a while, so that all hear of it. */
  readonly former?: readonly FormerDigest[]
  readonly createdAt: number
  /** From then on it is refused. */
  readonly expiresAt?: number
  readonly limits: Limits
  readonly metadata: Readonly<Record<string, string>>
  readonly managedBy: ManagedBy
}

/** A key that can manage, and can't call. */
export interface AdminKeyRecord {
  readonly kind: 'admin_key'
  readonly id: string
  readonly name: string
  readonly digest: string
  readonly redacted: string
  readonly createdAt: number
  readonly expiresAt?: number
  readonly managedBy: ManagedBy
}

/** A message to be sent once so much has been spent in a month. `projectId` absent: in the whole organization. */
export interface SpendAlertRecord {
  readonly kind: 'spend_alert'
  readonly id: string
  readonly projectId?: string
  /** In nano-dollars. */
  readonly threshold: bigint
  readonly webhook: string
  /** What its messages are signed with (Standard Webhooks, `whsec_…`). */
  readonly signingSecret: string
  readonly subjectPrefix?: string
  /** The last message: of which month (the date of its first day), begun when (in seconds since 1970), and whether it has arrived. */
  readonly notice?: { readonly month: string; readonly at: number; readonly isSent: boolean }
  readonly createdAt: number
}

/** The limits of all projects together. */
export interface OrganizationRecord {
  readonly kind: 'organization'
  readonly id: string
  readonly createdAt: number
  readonly limits: Limits
  readonly timeZone: string
}

/** What can be managed. */
export type LedgerRecord =
  | ProjectRecord
  | ServiceAccountRecord
  | KeyRecord
  | AdminKeyRecord
  | SpendAlertRecord
  | OrganizationRecord

/** An entry of the audit log: who has managed what. Never a secret. */
export interface AuditEvent {
  readonly id: string
  /** OpenAI's name of it, such as `api_key.created`. */
  readonly type: string
  /** In seconds since 1970. */
  readonly at: number
  readonly actorKeyId: string
  readonly projectId?: string
  readonly resourceId: string
  /** What was asked for, as OpenAI's audit log has it. */
  readonly details: Readonly<Record<string, unknown>>
}

/** One call in the books. */
export interface Booking {
  /** In hex. Unique, so that one that is written twice counts once: with the same `at`. */
  readonly id: string
  /** When the call came, in milliseconds since 1970. */
  readonly at: number
  readonly requestId: string
  readonly keyId: string
  readonly projectId: string
  /** The model as the caller names it, and as the upstream does. */
  readonly model: string
  readonly servedModel: string
  /** The endpoint's name in our own table: `chat/completions`, `audio/speech`. */
  readonly endpoint: string
  readonly upstream: string
  readonly tier: string
  readonly isBatch: boolean
  readonly usage: Usage
  /** What it cost, and what the cache has saved, in nano-dollars. */
  readonly cost: number
  readonly saved: number
  /** Where the price comes from; `none`: it has no price, and its cost is not known; `caller`: the caller's own key has paid. */
  readonly pricedBy: 'table' | 'file' | 'answer' | 'free' | 'none' | 'caller'
  readonly isEstimated: boolean
  /** How it ended: as the exchange did, or with its process. */
  readonly outcome: 'complete' | 'cancelled' | 'failed' | 'interrupted'
  readonly cache?: string
  readonly status: number
  /** Whether it is an object's (`MadeObject`), so that its id counts once whenever it is booked. */
  readonly isObject?: true
}

/** A key as requests know it, with all that it is decided by. */
export interface KeyEntry {
  readonly id: string
  readonly kind: 'key' | 'admin_key'
  /** In seconds since 1970; 0: never. */
  readonly expiresAt: number
  readonly limits: Limits
  /** undefined: an admin key's. */
  readonly project: ProjectRecord | undefined
  readonly organization: OrganizationRecord | undefined
}
