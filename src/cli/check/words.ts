import type { UpstreamSettings } from '../../config/sections/upstreams/upstream.ts'
import { describeSystemError } from '../../config/system-errors.ts'

/** The names of the settings that may be wrong. */
export interface Words {
  readonly upstream: string
  readonly base: string
  /** Whether the base URL begins with https://. */
  readonly isTls: boolean
  /** The key that was tried. */
  readonly key: string
  /** The setting for a key. */
  readonly keyPlace: string
  readonly account: string
  readonly authorities: string
  readonly proxy: string
}

/**
 * Names the settings of an upstream that may be wrong; `index` is the index of the key that was tried.
 *
 * @example
 * const words = wordsFor(upstream, 0)
 */
export function wordsFor({ auth, name, keys, baseUrl }: UpstreamSettings, index: number): Words {
  const isTls = URL.parse(baseUrl)?.protocol === 'https:'
  if (auth === 'either') {
    return {
      upstream: 'upstream',
      base: 'OPENAI_API_BASE',
      isTls,
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
    isTls,
    key: keys.length > 1 ? `key ${index + 1} of ${at}` : `${at}.api_key`,
    keyPlace: `${at}.api_key`,
    account: 'organization and project',
    authorities: `${at}.tls_ca`,
    proxy: `${at}.proxy, or HTTPS_PROXY,`,
  }
}

function isWrongName(code: string): boolean {
  return code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH'
}

/** Explains a failure of the system, with its cure; `timeoutMs` was the time that an answer had. */
export function explainFailure(cause: unknown, { base, isTls, authorities, proxy }: Words, timeoutMs: number): string {
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
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return `${said}. If it speaks plain HTTP there, write http:// in ${base}; else the port of its HTTPS.`
  if (code === 'ECONNRESET') {
    const other = isTls ? 'plain HTTP there, write http://' : 'HTTPS, write https://'
    return `${said}. If it speaks ${other} in ${base}; else check the network, and ${proxy} where one is needed.`
  }
  if (name === 'TimeoutError')
    return `no answer within ${timeoutMs / 1000} s. Check the network, and ${proxy} where one is needed.`
  return `${said}. Check ${base}, the network, and ${proxy} where one is needed.`
}
