import { basename } from 'node:path'
import type { Config } from '../config/config.ts'

/** The facts that a server shows of itself when it starts. */
export interface ServerDescription {
  readonly version: string
  readonly url: string
  readonly base_url: string
  readonly upstream: string
  /** Says whose key goes upstream, and how to change that. */
  readonly access: string
  readonly docs: string
  /** The configuration file, with the numbers of its upstreams, models and rules. */
  readonly config?: string
  /** The names of the extensions' files, in their order. */
  readonly extensions?: string
  /** The kind of the cache's store. */
  readonly cache?: string
  /** The kind of the ledger's store, and who may manage it. */
  readonly ledger?: string
}

/**
 * Describes a server that has just started, for its log line or its banner.
 *
 * @example
 * process.stdout.write(renderBanner(describeServer(config, 'http://localhost:8000', VERSION)))
 */
export function describeServer(config: Config, url: string, version: string, file?: string): ServerDescription {
  return {
    version,
    url,
    base_url: `${url}/v1`,
    upstream: describeUpstreams(config),
    access: describeAccess(config),
    docs: `${url}/docs`,
    ...(file !== undefined && { config: describeFile(file, config) }),
    ...describeAnswering(config),
    ...describeLedger(config),
  }
}

function describeUpstreams({ settings }: Config): string {
  const [first] = settings.upstreams
  if (settings.upstreams.length === 1 && first !== undefined) return first.baseUrl
  return settings.upstreams.map(({ name, baseUrl }) => `${name} (${baseUrl})`).join(', ')
}

function describeAnswering({
  settings: { extensions, cache },
}: Config): Pick<ServerDescription, 'extensions' | 'cache'> {
  return {
    ...(extensions.length > 0 && { extensions: extensions.map(({ path }) => basename(path)).join(', ') }),
    // Only the kind: an address may hold a password.
    ...(cache.store !== undefined && { cache: /^\w+/.exec(cache.store.reveal())?.[0] ?? 'on' }),
  }
}

function describeLedger({ adminKey, settings: { ledger, records } }: Config): Pick<ServerDescription, 'ledger'> {
  if (ledger.store === undefined) return {}
  const kind = /^\w+/.exec(ledger.store.reveal())?.[0] ?? 'on'
  const counted = ledger.limits === undefined ? '' : ', limits counted in Redis'
  const isManaged = adminKey !== undefined || records.adminKeys.length > 0
  const cure = 'ADMIN_KEY lets you manage keys, limits and budgets by /v1/organization'
  return { ledger: `${kind}${counted}; ${isManaged ? 'managed by /v1/organization with an admin key' : cure}` }
}

function describeFile(file: string, { settings: { upstreams, models, params } }: Config): string {
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
  const parts = [count(upstreams.length, 'upstream'), count(models.length, 'model'), count(params.length, 'rule')]
  return `${file}: ${parts.join(', ')}; read again when it changes`
}

/** The warning that the server can't tell local callers from those behind a local proxy, and the cure. */
const UNSEEN =
  ', and so does all that comes through a proxy or tunnel here which speaks HTTP/1.1 and adds nothing. Behind one: LOCAL_CALLERS=off, or REQUIRE_AUTH=true with API_TOKEN.'

function describeAccess(config: Config): string {
  const { auth, server, upstream, settings } = config
  if (settings.upstreams.some((one) => one.auth !== 'either')) return describeFileAccess(config)
  const hasKey = upstream.apiKey !== undefined
  if (auth.required) {
    return `on: ${describeWanted(config)}; ${hasKey ? "the server's OPENAI_API_KEY is spent" : 'no key goes upstream (OPENAI_API_KEY is not set)'}. REQUIRE_AUTH=false lets callers bring their own keys.`
  }
  const own = "off: each caller's own key goes upstream."
  if (server.isLoopback && !auth.lendsToLocal) {
    return `${own} A caller without one gets a 401: LOCAL_CALLERS is off. REQUIRE_AUTH=true with API_TOKEN guards this server.`
  }
  if (!server.isLoopback) {
    return `${own} A caller without one gets a 401${hasKey ? "; the server's OPENAI_API_KEY is not lent on a public address" : ''}. REQUIRE_AUTH=true with API_TOKEN guards this server.`
  }
  if (!hasKey)
    return `${own} A program on this machine without one is passed on without a key. OPENAI_API_KEY lends it the server's.`
  return `${own} A program on this machine without one spends the server's OPENAI_API_KEY${UNSEEN}`
}

/** Says what callers need where each needs something. */
function describeWanted({ auth: { tokens }, settings: { ledger } }: Config): string {
  const own = `one of ${tokens.length} API token(s)`
  if (ledger.store === undefined) return `callers need ${own}`
  return `callers need a key of the ledger${tokens.length === 0 ? '' : `, or ${own}`}`
}

/** Describes access where a file says whose key each upstream gets. */
function describeFileAccess(config: Config): string {
  const { auth, server, settings } = config
  const isSpent = settings.upstreams.some((one) => one.auth === 'server')
  if (auth.required) {
    return `on: ${describeWanted(config)}${isSpent ? "; the server's keys are spent" : ''}.`
  }
  if (!isSpent) return 'off: nobody needs a token, and no key of this server is spent.'
  const cure = 'REQUIRE_AUTH=true with API_TOKEN lets holders of a token do so.'
  if (server.isLoopback && !auth.lendsToLocal)
    return `off: nobody may spend the server's keys, since LOCAL_CALLERS is off (401). ${cure}`
  if (server.isLoopback) return `off: programs on this machine spend the server's keys${UNSEEN}`
  return `off: nobody may spend the server's keys on a public address (401). ${cure}`
}

/** Renders the banner for a person; `workers` is the number of processes that serve. */
export function renderBanner(server: ServerDescription, workers = 1, warnings: readonly string[] = []): string {
  return `
  NexCode ${server.version}

  base_url   ${server.base_url}
  upstream   ${server.upstream}
  auth       ${server.access}
  docs       ${server.docs}
${optional('config', server.config)}${optional('extensions', server.extensions)}${optional('cache', server.cache)}${optional('ledger', server.ledger)}${optional('workers', workers > 1 ? String(workers) : undefined)}${warnings.map((text) => optional('warning', text)).join('')}
  Stop with Ctrl-C: requests under way may finish.

`
}

function optional(name: string, text: string | undefined): string {
  return text === undefined ? '' : `  ${name.padEnd(11)}${text}\n`
}
