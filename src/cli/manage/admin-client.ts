import { nameTokens } from '../../access/name-tokens.ts'
import { tokenKeys } from '../../access/token-keys.ts'
import { administer } from '../../administration/administer.ts'
import type { Config } from '../../config/config.ts'
import { makeFirstRecords } from '../../ledger/first-records.ts'
import { LimiterError } from '../../ledger/limiter.ts'
import { openLedger } from '../../ledger/open-ledger.ts'
import { ApiError } from '../../openai/api-error.ts'
import { readConfiguration, readWholeConfiguration } from '../../process/configuration.ts'
import { serverUrl } from '../../process/server-url.ts'
import { sha256 } from '../../process/sha256.ts'
import type { Flags } from '../flags.ts'
import { type AskAdmin, InvalidConfiguration, ManageProblem } from './ask-admin.ts'
import { remoteAsk } from './remote-admin.ts'

/** The administration of the configured ledger. */
export interface AdminClient {
  readonly ask: AskAdmin
  /** The address that clients call, without `/v1`. */
  readonly url: string
  readonly close: () => Promise<void>
}

/** Who did it, in the audit log. */
const ACTOR = { kind: 'admin', id: 'nexcode-cli' } as const

/**
 * Opens the administration: of the ledger that the configuration names, in this process; with `--url`, or where that ledger is in a server's memory,
 * of the running server, by `ADMIN_KEY`. Both are answered by the same code.
 *
 * @example
 * const client = await openAdminClient(flags)
 * const projects = await client.ask('GET', '/projects')
 */
export async function openAdminClient({
  config: file,
  values,
}: Pick<Flags, 'config' | 'values'>): Promise<AdminClient> {
  if (values.url !== undefined) {
    // The ledger is the other server's: this machine need not have one.
    const config = readConfiguration(process.env)
    if (config === undefined) throw new InvalidConfiguration()
    return remoteClient(values.url, config)
  }
  const configuration = await readWholeConfiguration(process.env, file, true)
  if (configuration === undefined) throw new InvalidConfiguration()
  const { config } = configuration
  const store = config.settings.ledger.store?.reveal()
  const own = serverUrl(config.server, config.server.port)
  if (store === 'memory') return remoteClient(own, config)
  if (store === undefined) {
    throw new ManageProblem(
      'no ledger is configured: nothing knows of keys. Set LEDGER=sqlite:nexcode.db, here and for the server, or `ledger: { store: … }` in the file.',
    )
  }
  return localClient(store, own, config)
}

function remoteClient(url: string, { adminKey }: Config): AdminClient {
  if (adminKey === undefined) {
    throw new ManageProblem(
      "ADMIN_KEY is not set: a ledger that is in the server's memory (LEDGER=memory), or elsewhere (--url), is reached through the running server, by that key.\n" +
        '  Start the server with ADMIN_KEY (32 characters or more) and set the same here; or keep the ledger in a file: LEDGER=sqlite:nexcode.db.',
    )
  }
  const base = url.replace(/\/+$/, '').replace(/\/v1$/, '')
  return { ask: remoteAsk(base, adminKey), url: base, close: () => Promise.resolve() }
}

async function localClient(store: string, url: string, { auth }: Config): Promise<AdminClient> {
  const ledger = await openLedger(store)
  const tokens = auth.required ? tokenKeys(nameTokens(auth.tokens, sha256), sha256) : []
  const deps = {
    ledger,
    follow: () => Promise.resolve(),
    tokenKeys: () => tokens,
    // The counters are the servers': what was spent is read from the books.
    look: () => Promise.reject(new LimiterError('the counters are the servers’')),
    now: Date.now,
    random: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes),
    sha256,
  }
  const ask: AskAdmin = async (method, path, body) => {
    const readBody = (): Promise<unknown> => Promise.resolve(body)
    try {
      const object = await administer({ method, target: `/organization${path}`, caller: ACTOR, readBody }, deps)
      return { ...object }
    } catch (thrown) {
      if (thrown instanceof ApiError)
        throw new ManageProblem(thrown.message, { status: thrown.entry.status, cause: thrown.cause })
      throw thrown
    }
  }
  try {
    await makeFirstRecords(ledger, Math.floor(Date.now() / 1000))
  } catch (cause) {
    await ledger.close()
    throw cause
  }
  return { ask, url, close: () => ledger.close() }
}
