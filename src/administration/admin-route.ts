import { type Static, type TObject, Type } from '@sinclair/typebox'
import type { AdminCaller } from '../access/authorize-admin.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Limiter } from '../ledger/limiter.ts'
import type { KeyRecord } from '../ledger/records.ts'

/** All that the administration works with. */
export interface AdminDeps {
  readonly ledger: Ledger
  /** Has this process take over what was changed. */
  readonly follow: () => Promise<void>
  readonly look: Limiter['look']
  /** The API tokens as keys of the default project: they are in no ledger. */
  readonly tokenKeys: () => readonly KeyRecord[]
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number
  /** Fills an array with random bytes (Web Crypto). */
  readonly random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array
  readonly sha256: (text: string) => Uint8Array
}

/** One request to the administration, checked. */
export interface AdminCall<Query, Body> {
  /** The ids in its path, by their names in the route's. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  readonly caller: AdminCaller
}

/** One operation of OpenAI's Administration API, as this server serves it. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Its path below `/v1`; a name in braces stands for one segment. */
  readonly path: string
  readonly query: TObject
  readonly body: TObject
  /** Whether callers' keys may use it, for what is their own; absent: only admin keys may. */
  readonly isForCallers?: boolean
  /** Gives the object to answer with. Rejects with an `ApiError`, a `LedgerError` or a `LimiterError`. */
  readonly answer: (call: AdminCall<never, never>, deps: AdminDeps) => Promise<object>
}

type NoFields = ReturnType<typeof noFields>
const noFields = () => Type.Object({}, { additionalProperties: false })

/**
 * Describes an operation; a query or body that is not given has no fields.
 *
 * @example
 * adminRoute({ method: 'POST', path: '/organization/projects', body: CreateProject, answer: createProject })
 */
export function adminRoute<Q extends TObject = NoFields, B extends TObject = NoFields>(
  route: Pick<AdminRoute, 'method' | 'path' | 'isForCallers'> & {
    readonly query?: Q
    readonly body?: B
    readonly answer: (call: AdminCall<Static<Q>, Static<B>>, deps: AdminDeps) => Promise<object>
  },
): AdminRoute {
  return { ...route, query: route.query ?? noFields(), body: route.body ?? noFields() }
}

/** The id of that name in a call's path. */
export function idOf({ params }: Pick<AdminCall<unknown, unknown>, 'params'>, name: string): string {
  return params[name] ?? ''
}
