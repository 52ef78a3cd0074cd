import { Elysia } from 'elysia'
import { type AuthorizeAdmin, createAuthorizeAdmin } from '../../access/authorize-admin.ts'
import type { AdminDeps } from '../../administration/admin-route.ts'
import { administer } from '../../administration/administer.ts'
import { noteBody } from '../../answers/body-note.ts'
import type { Secret } from '../../config/secret.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import type { MemoryBudget } from '../../exchange/memory-budget.ts'
import type { Books } from '../../ledger/books.ts'
import type { KeyRecord } from '../../ledger/records.ts'
import { readJson } from '../../requests/read-json.ts'
import { exchangeOf } from '../request-context.ts'

/** The dependencies of the administration's routes. */
export interface OrganizationDeps {
  /** undefined: there is no ledger, and nothing to administer. */
  readonly books?: Books | undefined
  /** The key of the environment, as it is now. */
  readonly adminKey: () => Secret | undefined
  /** The API tokens, as they are now. */
  readonly tokenKeys: () => readonly KeyRecord[]
  readonly sha256: (text: string) => Uint8Array
  readonly memory: MemoryBudget
}

/** The longest body of a request: a thousand rate limits are shorter. */
const BODY_BYTES_MAX = 256 * 1024
/** `projects` is where OpenAI has the roles of projects. */
const RESOURCES_OF_IT = ['organization', 'projects'] as const
const PATHS = RESOURCES_OF_IT.flatMap((name) => [`/v1/${name}`, `/v1/${name}/*`, `/${name}`, `/${name}/*`])

/**
 * Makes the routes of OpenAI's Administration API, which are answered from the ledger: beside the flow, its stages and its places, so that a
 * server whose places are all taken can still be managed.
 */
export const organization = ({ books, adminKey, tokenKeys, sha256, memory }: OrganizationDeps) => {
  const app = new Elysia({ name: 'nexcode/organization', seed: memory })
  if (books === undefined) return app
  const { ledger, directory, limiter, spread } = books
  const now = Date.now
  const authorizeAdmin = createAuthorizeAdmin({ directory, adminKey, tokenKeys, sha256, now })
  const admin: AdminDeps = {
    ledger,
    follow: spread,
    tokenKeys,
    look: (budget) => limiter.look(budget),
    now,
    random: (bytes) => crypto.getRandomValues(bytes),
    sha256,
  }
  const handle = (request: Request) => answer(exchangeOf(request), authorizeAdmin, admin, memory)
  for (const path of PATHS) app.all(path, ({ request }) => handle(request), { parse: 'none' })
  return app
}

async function answer(
  exchange: Exchange,
  authorizeAdmin: AuthorizeAdmin,
  admin: AdminDeps,
  memory: MemoryBudget,
): Promise<Response> {
  exchange.endpointName = 'organization'
  const caller = authorizeAdmin(exchange.received)
  // Its key goes nowhere from here.
  exchange.identify({ kind: 'caller', id: caller.id })
  const { request, requestTarget: target } = exchange
  const readBody = async (): Promise<unknown> => {
    if (exchange.body === undefined || exchange.body.length === 0) return undefined
    return (await readJson(exchange, { bytesMax: BODY_BYTES_MAX, memory })).value
  }
  const object = await administer({ method: request.method, target, caller, readBody }, admin)
  const bytes = new TextEncoder().encode(JSON.stringify(object))
  const headers = {
    'content-type': 'application/json',
    'content-length': String(bytes.byteLength),
    // A new key stands in it.
    'cache-control': 'no-store',
  }
  return noteBody(new Response(bytes, { headers }), { whole: bytes })
}
