import { ignoreRejection } from '../../formats/ignore-rejection.ts'

/** Certificates that the runtime reads when TLS is first spoken, and never again where that fails. */
const CERTIFICATES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'] as const
/** A socket that can't be there: below a file. */
const NOWHERE = '/dev/null/none'

/**
 * Has the runtime open what it needs for any call, and read its certificates, before the first one: where no descriptor is left for
 * that, it ends the process, or trusts none of them from then on. Nothing is sent.
 *
 * @example
 * wakeFetch(process.env)
 */
export function wakeFetch(env: Record<string, string | undefined>): void {
  const scheme = CERTIFICATES.some((name) => (env[name] ?? '') !== '') ? 'https' : 'http'
  void ignoreRejection(fetch(`${scheme}://localhost/`, { unix: NOWHERE }))
}
