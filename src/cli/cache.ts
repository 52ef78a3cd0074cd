import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type NamedToken, nameTokens } from '../access/name-tokens.ts'
import { scopeOf } from '../cache/keys/scope.ts'
import type { Config } from '../config/config.ts'
import type { CacheSettings } from '../config/sections/cache.ts'
import { readWholeConfiguration } from '../process/configuration.ts'
import { sha256 } from '../process/sha256.ts'
import { INVALID } from '../process/start-failure.ts'
import { openStore, StoreError } from '../storage/open-store.ts'
import type { Store, StoreStats } from '../storage/store.ts'
import { describeCause } from '../telemetry/describe-error.ts'
import type { Flags } from './flags.ts'
import { writeOut } from './write-out.ts'

/** The flags of `nexcode cache`. */
type CacheFlags = Pick<Flags, 'args' | 'config' | 'json' | 'scope' | 'key'>

/** The command can't be carried out as it was given. */
class Refusal extends Error {}

const FAILED = 1
/** The most entries of a Redis that are counted (`RedisStore`). */
const COUNTED_MAX = 100_000

/**
 * Shows the contents of the configured cache, or purges all of it, one scope, or one key. Gives the exit code: 0; 1 when the store fails;
 * 2 for an invalid command or configuration.
 *
 * @example
 * process.exit(await cache({ args: ['purge'], scope: 'alice', key: undefined, config: undefined, json: false }))
 */
export async function cache(flags: CacheFlags): Promise<number> {
  try {
    refuseMisuse(flags)
    const configuration = await readWholeConfiguration(process.env, flags.config)
    if (configuration === undefined) return INVALID
    const { config } = configuration
    const spec = sharedStoreOf(config.settings.cache)
    const scope = flags.scope === undefined ? undefined : fullScopeOf(flags.scope, config)
    const text = await withStore(spec, config.settings.cache, (store) => act(flags, scope, spec, store))
    await writeOut(process.stdout, text)
    return 0
  } catch (cause) {
    if (cause instanceof Refusal) return fail(`nexcode cache: ${cause.message}`, INVALID)
    if (cause instanceof StoreError) {
      return fail(`The cache's store (CACHE, or cache.store) ${cause.wrong}.\n  ${cause.cure}`, INVALID)
    }
    return fail(`nexcode cache: the store does not do what it was asked for: ${describeCause(cause)}`, FAILED)
  }
}

function fail(text: string, code: number): number {
  process.stderr.write(`${text}\n`)
  return code
}

function refuseMisuse({ args: [action], scope, key, json }: CacheFlags): void {
  if (action === undefined) {
    throw new Refusal('say what to do: nexcode cache stats, or nexcode cache purge [--scope SCOPE | --key KEY].')
  }
  if (action === 'stats' && (scope !== undefined || key !== undefined)) {
    throw new Refusal('stats counts all that is kept: --scope and --key are for purge.')
  }
  if (action === 'purge' && json) throw new Refusal('--json is for stats.')
  if (scope !== undefined && key !== undefined) throw new Refusal('use --scope or --key, not both.')
}

/** Gives the store's address, if other processes can see the store. Throws a `Refusal` otherwise. */
function sharedStoreOf({ store }: CacheSettings): string {
  if (store === undefined) {
    throw new Refusal(
      'no cache is configured. Set CACHE=sqlite:PATH or CACHE=redis://HOST:PORT, or cache.store in the file.',
    )
  }
  const spec = store.reveal()
  if (spec === 'memory') {
    throw new Refusal(
      "the cache is in the server's own memory (CACHE=memory): no other process can see it, and it ends with the server.\n" +
        '  Restart the server to empty it, or use sqlite:PATH or redis://HOST:PORT.',
    )
  }
  return spec
}

/** Gives a scope as it stands in the store, where a token without a name goes by its whole digest. Throws a `Refusal`. */
function fullScopeOf(given: string, { auth }: Config): string {
  const tokens = nameTokens(auth.tokens, sha256)
  const token = tokens.find(({ name }) => name === given)
  if (token === undefined) {
    const place = /^token-(\d{1,4})$/.test(given)
    if (place) throw new Refusal(`${given} is a place in the list of tokens, and scopes go by names: ${known(tokens)}.`)
    return given
  }
  const principal = { kind: 'token', id: token.name, token: token.token } as const
  return scopeOf({ principal, headers: new Headers() }, { scope: 'principal' }, sha256)
}

function known(tokens: readonly NamedToken[]): string {
  const names = [...new Set(tokens.map(({ name }) => name))]
  return names.length === 0 ? 'API_TOKEN has none' : `there are ${names.join(', ')}`
}

/**
 * Opens the store for `use`, and closes it; undefined: there is none yet. It is not created: it would belong to this user, and not
 * to the server's.
 */
async function withStore(
  spec: string,
  { bytesMax, entriesMax }: CacheSettings,
  use: (store: Store | undefined) => Promise<string>,
): Promise<string> {
  if (isMissing(spec)) return use(undefined)
  const warn = (_fields: unknown, text?: string): void => void process.stderr.write(`${text ?? ''}\n`)
  const store = openStore(spec, { bytesMax, entriesMax, now: Date.now, log: { warn } })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

function isMissing(spec: string): boolean {
  const path = spec.startsWith('sqlite:') ? spec.slice('sqlite:'.length) : ''
  return path !== '' && statSync(resolve(path), { throwIfNoEntry: false }) === undefined
}

async function act(
  { args: [action], key, scope: given, json }: CacheFlags,
  scope: string | undefined,
  spec: string,
  store: Store | undefined,
): Promise<string> {
  if (action === 'stats') {
    const stats = (await store?.stats()) ?? { entries: 0, bytes: 0 }
    return json ? `${JSON.stringify({ store: store?.name ?? 'sqlite', ...stats })}\n` : renderStats(spec, stats)
  }
  if (key !== undefined)
    return (await store?.delete(key)) === true ? '1 entry purged\n' : 'nothing is kept under this key\n'
  const count = (await store?.purge(scope)) ?? 0
  return `${count} ${count === 1 ? 'entry' : 'entries'} purged${given === undefined ? '' : ` of ${given}`}\n`
}

function renderStats(spec: string, { entries, bytes }: StoreStats): string {
  const isSqlite = spec.startsWith('sqlite:')
  // Only the host is shown: a URL may have a password.
  const place = isSqlite ? spec : `redis at ${URL.parse(spec)?.host ?? '?'}`
  const least = !isSqlite && entries >= COUNTED_MAX ? 'at least ' : ''
  return `${place}\n  entries  ${least}${entries}\n  bytes    ${least}${bytes}\n`
}
