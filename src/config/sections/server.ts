import { type EnvReader, row } from '../env-reader.ts'
import { durationKind, integer, isDigits, type Kind, quoteText, right, wrong } from '../scalar-kinds.ts'
import { Secret } from '../secret.ts'
import { isLoopbackHost, listenHost, originList, path } from '../text-kinds.ts'

/** The PEM texts that HTTPS is served with. */
export interface TlsTexts {
  readonly cert: string
  readonly key: Secret
}

/** The address that the server listens on, and the origins whose pages may call it. */
export interface ServerSettings {
  /** A name or an address, in its canonical form; IPv6 without brackets. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Whether only this machine can reach `host`. */
  readonly isLoopback: boolean
  readonly tls: TlsTexts | undefined
  /** As browsers send them in `Origin`, or `*`. */
  readonly corsOrigins: readonly string[]
}

/** The most worker processes that can be asked for; above, a number is a slip of the finger. */
const WORKERS_MAX = 64

/** How many worker processes: a number, or as many as there are cores. */
const workerCount: Kind<number | 'auto'> = {
  label: 'integer or auto',
  parse(text) {
    if (text.toLowerCase() === 'auto') return right('auto')
    const cure = `Use a number from 1 to ${WORKERS_MAX}, or auto for one worker a core.`
    if (!isDigits(text)) return wrong(`${quoteText(text)} is neither a whole number nor auto`, cure)
    const count = Number(text)
    return count >= 1 && count <= WORKERS_MAX ? right(count) : wrong(`${quoteText(text)} is out of range`, cure)
  },
}

/** The variables of the address. */
export const LISTEN_ENV = {
  HOST: row({
    name: 'HOST',
    kind: listenHost,
    default: '0.0.0.0',
    doc: 'Address to listen on; 127.0.0.1 for this machine only.',
    example: '127.0.0.1',
  }),
  PORT: row({
    name: 'PORT',
    kind: integer(0, 65_535),
    default: 8000,
    doc: 'Port to listen on; 0 for any free one.',
    example: '8000',
  }),
  TLS_CERT_FILE: row({
    name: 'TLS_CERT_FILE',
    kind: path,
    default: undefined,
    doc: 'Certificate chain (PEM) to serve HTTPS with; needs TLS_KEY_FILE.',
    example: '/etc/nexcode/tls.crt',
  }),
  TLS_KEY_FILE: row({
    name: 'TLS_KEY_FILE',
    kind: path,
    default: undefined,
    doc: 'Private key (PEM, without a passphrase) of TLS_CERT_FILE.',
    example: '/etc/nexcode/tls.key',
  }),
} as const

/** The variable of the origins. */
export const CORS_ENV = {
  CORS_ORIGINS: row({
    name: 'CORS_ORIGINS',
    kind: originList,
    default: [],
    doc: 'Web origins whose pages may call, by comma; * for all.',
    example: 'https://chat.example.com,http://localhost:3000',
  }),
} as const

/** The variables of serving. */
export const SERVING_ENV = {
  WORKERS: row({
    name: 'WORKERS',
    kind: workerCount,
    default: 1,
    doc: 'Processes that serve, sharing the port; auto: one for each core.',
    example: 'auto',
  }),
  SSE_PING_MS: row({
    name: 'SSE_PING_MS',
    kind: durationKind,
    default: 0,
    unit: 'ms',
    doc: 'Silence after which a stream gets a line that clients skip, for load balancers that cut; 0: off.',
    example: '15000',
  }),
} as const

/** Reads the address and the origins. Reports bad certificates and keys. */
export function serverFromEnv(reader: EnvReader): ServerSettings {
  const host = reader.take(LISTEN_ENV.HOST)
  return {
    host,
    port: reader.take(LISTEN_ENV.PORT),
    isLoopback: isLoopbackHost(host),
    tls: tlsFromEnv(reader),
    corsOrigins: reader.take(CORS_ENV.CORS_ORIGINS),
  }
}

/** The number of processes that serve; `countCores` counts the cores that there are for us, of which `auto` takes one each. */
export function workersFromEnv({ take }: EnvReader, countCores: () => number = () => 1): number {
  const asked = take(SERVING_ENV.WORKERS)
  return asked === 'auto' ? Math.min(countCores(), WORKERS_MAX) : asked
}

/** Silence in milliseconds after which a stream gets a comment; 0: never. */
export function ssePingFromEnv({ take }: EnvReader): number {
  return take(SERVING_ENV.SSE_PING_MS)
}

function tlsFromEnv(reader: EnvReader): TlsTexts | undefined {
  const { TLS_CERT_FILE: certRow, TLS_KEY_FILE: keyRow } = LISTEN_ENV
  for (const [row, other] of [
    [certRow, keyRow],
    [keyRow, certRow],
  ] as const) {
    if (reader.has(row) && !reader.has(other)) {
      reader.report(other, {
        wrong: `is not set, but ${row.name} is`,
        cure: 'Set both for HTTPS, or neither for HTTP.',
      })
    }
  }
  const cert = reader.takeFile(certRow)
  const key = reader.takeFile(keyRow)
  if (cert !== undefined && !/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(cert)) {
    reader.report(certRow, {
      wrong: 'names a file without a PEM certificate',
      cure: 'Name the chain: -----BEGIN CERTIFICATE-----',
    })
  }
  if (key !== undefined && !/-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/.test(key)) {
    reader.report(keyRow, {
      wrong: 'names a file without a PEM private key',
      cure: 'Name the key: -----BEGIN PRIVATE KEY-----',
    })
  } else if (key !== undefined && /ENCRYPTED/.test(key)) {
    reader.report(keyRow, {
      wrong: 'names a private key with a passphrase',
      cure: 'Take the passphrase off: openssl pkey -in with.key -out without.key',
    })
  }
  return cert === undefined || key === undefined ? undefined : { cert, key: new Secret(key) }
}
