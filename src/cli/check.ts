import type { Settings, UpstreamSettings } from '../config/settings.ts'
import { describeSystemError } from '../config/system-errors.ts'
import { createEgress } from '../upstream/egress.ts'
import { describeServer } from './banner.ts'
import { readWholeConfiguration } from './configuration.ts'
import { type Flags, INVALID } from './flags.ts'
import { refuseOwnAddress } from './own-address.ts'
import { serverUrl } from './server-url.ts'
import { explainStartFailure } from './start-failure.ts'
import { VERSION } from './version.ts'
import { openWayOut } from './way-out.ts'
import { writeOut } from './write-out.ts'

const TIMEOUT_MS = 10_000

/** Validates the configuration and asks each upstream for its models, by each key, which costs nothing. */
export async function check(flags: Pick<Flags, 'config'>): Promise<number> {
  const configuration = await readWholeConfiguration(process.env, flags.config)
  if (configuration === undefined) return INVALID
  const { config, source } = configuration
  try {
    await refuseOwnAddress(config.settings, config.server, openWayOut().proxyFor)
  } catch (cause) {
    process.stderr.write(explainStartFailure(cause, config.server).text)
    return INVALID
  }
  const server = describeServer(config, serverUrl(config.server, config.server.port), VERSION, source.file)
  const lines = [`✓ configuration is valid`, `  base_url  ${server.base_url}`, `  auth      ${server.access}`]
  if (server.config !== undefined) lines.push(`  config    ${server.config}`)
  for (const warning of configuration.warnings) lines.push(`! ${warning}`)
  process.stdout.write(`${lines.join('\n')}\n`)
  const findings = await Promise.all(asksOf(config.settings).map(askUpstream))
  await writeOut(process.stdout, findings.map(({ isGood, text }) => `${isGood ? '✓' : '✗'} ${text}\n`).join(''))
  return findings.every(({ isGood }) => isGood) ? 0 : 1
}

/** One question to one upstream. */
interface Ask {
  readonly upstream: UpstreamSettings
  readonly key: string | undefined
  readonly words: Words
}

/** What the settings that may be wrong are called. */
interface Words {
  readonly upstream: string
  readonly base: string
  /** The one that was tried. */
  readonly key: string
  /** Where one is to be set. */
  readonly keyPlace: string
  readonly account: string
  readonly authorities: string
  readonly proxy: string
}

interface Finding {
  readonly isGood: boolean
  readonly text: string
}

function asksOf({ upstreams }: Settings): Ask[] {
  return upstreams.flatMap((upstream) => {
    const keys = upstream.keys.length === 0 ? [undefined] : upstream.keys
    return keys.map((key, index) => ({ upstream, key, words: wordsFor(upstream, index) }))
  })
}

function wordsFor({ auth, name, keys }: UpstreamSettings, index: number): Words {
  if (auth === 'either') {
    return {
      upstream: 'upstream',
      base: 'OPENAI_API_BASE',
      key: 'OPENAI_API_KEY',
      keyPlace: 'OPENAI_API_KEY',
      account: 'OPENAI_ORG_ID and OPENAI_PROJECT_ID',
      authorities: 'NODE_EXTRA_CA_CERTS',
      proxy: 'HTTPS_PROXY',
    }
  }
  const at = `upstreams.${name}`
  const nth = keys.length > 1 ? ` (key ${index + 1} of ${keys.length})` : ''
  return {
    upstream: `upstream ${name}${nth}`,
    base: `${at}.base_url`,
    key: keys.length > 1 ? `key ${index + 1} of ${at}` : `${at}.api_key`,
    keyPlace: `${at}.api_key`,
    account: 'organization and project',
    authorities: `${at}.tls_ca`,
    proxy: `${at}.proxy, or HTTPS_PROXY,`,
  }
}

async function askUpstream({ upstream, key, words }: Ask): Promise<Finding> {
  const { locate, reach } = createEgress(upstream)
  const { url, target } = locate('/v1/models')
  const shown = url.origin + url.pathname
  const headers = new Headers({ accept: 'application/json', 'user-agent': `NexCode/${VERSION}` })
  if (key !== undefined) headers.set(upstream.keyHeader, upstream.keyHeader === 'authorization' ? `Bearer ${key}` : key)
  for (const [name, value] of upstream.headers) headers.set(name, value)
  const startedAt = performance.now()
  try {
    const how = { redirect: 'manual' as const, decompress: true, timeout: true, ...reach }
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await openWayOut().fetch(url, { method: 'GET', target, headers, body: null, signal, ...how })
    await response.body?.cancel()
    const ms = Math.round(performance.now() - startedAt)
    return judge(response, key, words, `${shown} answered ${response.status} in ${ms} ms`)
  } catch (cause) {
    const who = words.upstream === 'upstream' ? '' : `${words.upstream} `
    return { isGood: false, text: `${who}${shown} does not answer: ${explain(cause, words)}` }
  }
}

function judge(response: Response, key: string | undefined, words: Words, what: string): Finding {
  const { status } = response
  const isPage = response.headers.get('content-type')?.startsWith('text/html') === true
  const bad = (text: string): Finding => ({ isGood: false, text })
  const said = `${words.upstream} ${what}`
  if (isPage || (status >= 300 && status < 400)) {
    const found = isPage ? 'a web page' : 'a redirect'
    return bad(`${what}, but with ${found}: ${words.base} is not an API's base URL. It usually ends with /v1.`)
  }
  if (status === 401 || status === 403) {
    if (key !== undefined) return bad(`${said}: it refuses ${words.key}. Check the key, ${words.account}.`)
    return {
      isGood: true,
      text: `${said}: it is there, and wants a key. Callers bring theirs, or set ${words.keyPlace}.`,
    }
  }
  if (status === 404) return bad(`${said}: there is no API at this path. ${words.base} usually ends with /v1.`)
  if (status >= 500) return bad(`${said}: it is there, but has a problem of its own. Try again later.`)
  return { isGood: true, text: said }
}

function isWrongName(code: string): boolean {
  return code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH'
}

/** The cure for what the system says. */
function explain(cause: unknown, { base, authorities, proxy }: Words): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const name = cause instanceof Error ? cause.name : ''
  if (code === 'ECONNREFUSED' || code === 'ConnectionRefused')
    return `nothing listens there. Start the upstream, or correct host and port in ${base}.`
  if (code === 'ENOTFOUND' || code === 'FailedToOpenSocket')
    return `its name does not resolve. Correct the host in ${base}, or check this machine's DNS.`
  const said = describeSystemError(cause)
  if (isWrongName(code)) return `${said}. Correct the host in ${base}: it has to be a name that the certificate is for.`
  if (code.includes('CERT') || code.includes('SIGNED') || code.includes('UNABLE_TO_'))
    return `${said}. Set ${authorities} to the file of its CA.`
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return `${said}. Write http:// in ${base}, or the port of its HTTPS.`
  if (code === 'ECONNRESET')
    return `${said}. If it speaks HTTPS, write https:// in ${base}; else check the network, and ${proxy} where one is needed.`
  if (name === 'TimeoutError')
    return `no answer within ${TIMEOUT_MS / 1000} s. Check the network, and ${proxy} where one is needed.`
  return `${said}. Check ${base}, the network, and ${proxy} where one is needed.`
}
