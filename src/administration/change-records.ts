import type { AdminCaller } from '../access/authorize-admin.ts'
import { tokenKeyId } from '../ledger/first-records.ts'
import { RecordsChangedError } from '../ledger/ledger.ts'
import { makeId } from '../ledger/record-id.ts'
import type { LedgerRecord } from '../ledger/records.ts'
import { ApiError } from '../openai/api-error.ts'
import type { AdminDeps } from './admin-route.ts'

/** What the audit log will say, by OpenAI's name of the event, with what was asked for: never a secret. */
export interface NotedEvent {
  readonly type: string
  readonly projectId?: string
  readonly resourceId: string
  readonly details: Readonly<Record<string, unknown>>
}

/** A change as it was made from what was there. */
export interface Change<T> {
  /** The records that it was made from, as they were read. */
  readonly was?: readonly LedgerRecord[]
  readonly put?: readonly LedgerRecord[]
  readonly remove?: readonly string[]
  readonly events: readonly NotedEvent[]
  /** The answer, once it is in force. */
  readonly answer: T
}

/** How often a change is made anew because another one came in between. */
const TRIES_MAX = 50

/**
 * Changes records, with the audit log's entries, in one step, and has it in force in this process. `make` reads what is there and says what
 * to write; where that was changed by somebody else meanwhile, it is called again.
 *
 * Rejects with what `make` rejects with, with a `LedgerError`, or with `change_conflict`.
 *
 * @example
 * return changeRecords(deps, call.caller, async () => ({ was: [before], put: [after], events: [event], answer: projectObject(after) }))
 */
export async function changeRecords<T>(
  deps: AdminDeps,
  caller: AdminCaller,
  make: () => Promise<Change<T>>,
): Promise<T> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const { was = [], put = [], remove = [], events, answer } = await make()
    const at = Math.floor(deps.now() / 1000)
    const audit = events.map((event) => ({ ...event, id: makeId('audit_log-', deps), at, actorKeyId: caller.id }))
    try {
      await deps.ledger.edit({ was, put, remove, audit })
    } catch (thrown) {
      if (thrown instanceof RecordsChangedError) continue
      throw thrown
    }
    await deps.follow()
    return answer
  }
  throw new ApiError('change_conflict')
}

/** Refuses a change of what stands in the configuration file. */
export function assertManagedHere({ managedBy, name, id }: Pick<ManagedRecord, 'managedBy' | 'name' | 'id'>): void {
  if (managedBy === 'api') return
  if (id === tokenKeyId(name)) {
    throw new ApiError('managed_by_file', {
      message: `'${name.slice(0, 100)}' is an API token of this server (\`API_TOKEN\`) and can only be changed there. Nothing was changed.`,
    })
  }
  throw new ApiError('managed_by_file', {
    message: `'${name.slice(0, 100)}' is declared in the configuration file of this server and can only be changed there (below \`projects:\`). Nothing was changed.`,
  })
}

type ManagedRecord = Extract<LedgerRecord, { managedBy: unknown }>
