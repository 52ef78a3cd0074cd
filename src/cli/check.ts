import type { Config } from '../config/config.ts'
import { describeServer } from './banner.ts'
import { readConfiguration } from './configuration.ts'
import { serverUrl } from './server-url.ts'
import { VERSION } from './version.ts'

const TIMEOUT_MS = 10_000

/** Validates the configuration and asks the upstream for its models, which costs nothing. */
export async function check(): Promise<number> {
  const config = readConfiguration(process.env)
  if (config === undefined) return 2
  const server = describeServer(config, serverUrl(config.server, config.server.port), VERSION)
  process.stdout.write(`✓ configuration is valid\n  base_url  ${server.base_url}\n  auth      ${server.access}\n`)
  const finding = await askUpstream(config)
  process.stdout.write(`${finding.isGood ? '✓' : '✗'} ${finding.text}\n`)
  return finding.isGood ? 0 : 1
}

interface Finding {
  readonly isGood: boolean
  readonly text: string
}

async function askUpstream({ upstream }: Config): Promise<Finding> {
  const url = `${upstream.baseUrl}/models`
  const headers = new Headers({ accept: 'application/json', 'user-agent': `NexCode/${VERSION}` })
  if (upstream.apiKey !== undefined) headers.set('authorization', `Bearer ${upstream.apiKey}`)
  if (upstream.organization !== undefined) headers.set('openai-organization', upstream.organization)
  if (upstream.project !== undefined) headers.set('openai-project', upstream.project)
  const startedAt = performance.now()
  try {
    const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
    const ms = Math.round(performance.now() - startedAt)
    return judge(response, upstream, `${url} answered ${response.status} in ${ms} ms`)
  } catch (cause) {
    return { isGood: false, text: `${url} does not answer: ${explain(cause)}` }
  }
}

function judge(response: Response, upstream: Config['upstream'], what: string): Finding {
  const { status } = response
  const isPage = response.headers.get('content-type')?.startsWith('text/html') === true
  if (isPage || (status >= 300 && status < 400)) {
    return {
      isGood: false,
      text: `${what}, but with ${isPage ? 'a web page' : 'a redirect'}: OPENAI_API_BASE is not an API's base URL. It usually ends with /v1.`,
    }
  }
  if (status === 401 || status === 403) {
    if (upstream.apiKey === undefined)
      return {
        isGood: true,
        text: `upstream ${what}: it is there, and wants a key. Callers bring theirs, or set OPENAI_API_KEY.`,
      }
    return {
      isGood: false,
      text: `upstream ${what}: it refuses OPENAI_API_KEY. Check the key, OPENAI_ORG_ID and OPENAI_PROJECT_ID.`,
    }
  }
  if (status === 404)
    return {
      isGood: false,
      text: `upstream ${what}: there is no API at this path. OPENAI_API_BASE usually ends with /v1.`,
    }
  if (status >= 500)
    return { isGood: false, text: `upstream ${what}: it is there, but has a problem of its own. Try again later.` }
  return { isGood: true, text: `upstream ${what}` }
}

/** The cure for what the system says. */
function explain(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const name = cause instanceof Error ? cause.name : ''
  if (code === 'ECONNREFUSED' || code === 'ConnectionRefused')
    return 'nothing listens there. Start the upstream, or correct host and port in OPENAI_API_BASE.'
  if (code === 'ENOTFOUND' || code === 'FailedToOpenSocket')
    return "its name does not resolve. Correct the host in OPENAI_API_BASE, or check this machine's DNS."
  if (code.includes('CERT') || code.includes('SIGNED'))
    return `its certificate is not trusted (${code}). Set NODE_EXTRA_CA_CERTS to the file of its CA.`
  if (name === 'TimeoutError')
    return `no answer within ${TIMEOUT_MS / 1000} s. Check the network, and HTTPS_PROXY where one is needed.`
  return `${code || name}. Check OPENAI_API_BASE, the network, and HTTPS_PROXY where one is needed.`
}
