import { describeSystemError } from '../config/system-errors.ts'
import { ExtensionsError } from '../extensions/load/load-all.ts'
import { OpenLedgerError } from '../ledger/ledger.ts'
import { StoreError } from '../storage/open-store.ts'

/** Upstreams are this server itself: each call of one would come back, again and again. */
export class OwnAddressError extends Error {
  override readonly name = 'OwnAddressError'
  /** The problems, each with its cure, as complete lines. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join(''))
    this.problems = problems
  }
}

const FAILED = 1

/** The exit code for an invalid command line or configuration. */
export const INVALID = 2

/**
 * Explains to a person why a server can't start, and gives the exit code.
 *
 * @example
 * catch (cause) { const { text, code } = explainStartFailure(cause, config.server) }
 */
export function explainStartFailure(
  cause: unknown,
  at: { readonly host: string; readonly port: number },
): { readonly text: string; readonly code: number } {
  if (cause instanceof ExtensionsError || cause instanceof OwnAddressError)
    return { text: cause.problems.join(''), code: INVALID }
  if (cause instanceof StoreError) {
    return { text: `The cache's store (CACHE, or cache.store) ${cause.wrong}.\n  ${cause.cure}\n`, code: INVALID }
  }
  if (cause instanceof OpenLedgerError)
    return { text: `The ledger (LEDGER, or ledger.store) ${cause.wrong}.\n  ${cause.cure}\n`, code: INVALID }
  return { text: `${explainListenFailure(cause, at)}\n`, code: FAILED }
}

/** The address that a server was to listen on. */
export interface ListenPlace {
  readonly host: string
  readonly port: number
}

/** Faults of a certificate and its key, by the errors of OpenSSL. */
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
 * Explains in one line why the server can't listen, and what to do. `portName` is the variable or flag that sets the port.
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

/** Gives the code of an error; the runtime has none for a name that does not resolve. */
function codeOf(cause: unknown, host: string): string {
  if (!(cause instanceof Error)) return ''
  if ('code' in cause && cause.code !== undefined) return String(cause.code)
  return cause.message === `Failed to listen at ${host}` ? 'ENOTFOUND' : ''
}

/**
 * Explains the fault of a certificate and its key, from the error of listening with them; undefined: the error has another cause.
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
