import { describeSystemError } from '../config/system-errors.ts'

/** Where a server was to listen. */
export interface ListenPlace {
  readonly host: string
  readonly port: number
}

/** What is wrong with a certificate and its key, by what OpenSSL says of them. */
const TLS_FAULTS: readonly (readonly [RegExp, string])[] = [
  [
    /KEY_VALUES_MISMATCH|KEY_TYPE_MISMATCH/,
    'TLS_CERT_FILE and TLS_KEY_FILE do not belong together: the certificate was made for another key. Name the key that it was made for; the two fit where these print the same: openssl x509 -noout -pubkey -in CERT; openssl pkey -pubout -in KEY',
  ],
  [
    /PEM routines|PEM_|BAD_END_LINE|BAD_BASE64|ASN1|DECODE_ERROR|NO_START_LINE|asn1|WRONG_TAG|TOO_LONG/i,
    'TLS_CERT_FILE or TLS_KEY_FILE is damaged: it is no whole PEM file. Copy it again, from -----BEGIN to -----END.',
  ],
  [
    /CA_MD_TOO_WEAK|EE_KEY_TOO_SMALL|UNSUPPORTED/i,
    'the certificate of TLS_CERT_FILE, or its key, is of a kind that is not secure any more, or not supported. Make a new one.',
  ],
]

/**
 * Says in one line why the server can't listen, and what to do. `portName` is what sets the port.
 *
 * @example
 * explainListenFailure(error, { host: '0.0.0.0', port: 8000 })
 */
export function explainListenFailure(cause: unknown, at: ListenPlace, portName = 'PORT'): string {
  const code = codeOf(cause, at.host)
  const where = `${at.host}:${at.port}`
  const isVariable = portName === 'PORT'
  switch (code) {
    case 'EADDRINUSE':
      return `nexcode: port ${at.port} is in use on ${at.host}. Stop the program that holds it, or set ${portName} to another one (${isVariable ? 'PORT=0' : `${portName} 0`} takes any free one).`
    case 'EACCES':
    case 'EPERM':
      return `nexcode: listening on ${where} is not permitted. Ports below 1024 need a privilege: set ${portName} to 1024 or more, such as ${isVariable ? 'PORT=8000' : `${portName} 8001`}.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `nexcode: this machine has no address ${at.host}. Set HOST to one that it has, such as HOST=0.0.0.0 or HOST=127.0.0.1.`
    default:
      return `nexcode: cannot listen on ${where}: ${whyNot(cause)}`
  }
}

/** The runtime has no code for a name that does not resolve. */
function codeOf(cause: unknown, host: string): string {
  if (!(cause instanceof Error)) return ''
  if ('code' in cause && cause.code !== undefined) return String(cause.code)
  return cause.message === `Failed to listen at ${host}` ? 'ENOTFOUND' : ''
}

/**
 * Says what is wrong with a certificate and its key, given what serving with them failed of; undefined: it was something else.
 *
 * @example
 * problems.push(describeTlsFault(cause) ?? describeSystemError(cause))
 */
export function describeTlsFault(cause: unknown): string | undefined {
  const message = cause instanceof Error ? cause.message : String(cause)
  return TLS_FAULTS.find(([pattern]) => pattern.test(message))?.[1]
}

function whyNot(cause: unknown): string {
  return describeTlsFault(cause) ?? `${describeSystemError(cause)}. Check HOST, PORT and the TLS files.`
}
