import { writeConfigFile } from '../../helpers/config-file.ts'
import type { Env } from '../../helpers/gateway-under-test.ts'
import { startGateway } from '../../helpers/start-gateway.ts'
import type { Origin, Origins } from './origins.ts'

const TOKEN = 'token-of-a-holder-0123456789'
const SERVER_KEYS = [
  'sk-key-of-the-server-0123456789',
  'key-of-the-file-0123456789',
  'portkey-of-the-file-0123456789',
  'sig-of-the-file-0123456789',
] as const
const [ENVIRONMENTS_KEY, FILES_KEY, FILES_HEADER, FILES_PARAMETER] = SERVER_KEYS
const CALLERS_KEY = 'sk-key-of-a-caller-0123456789'

/** What must not be told to a caller. */
export const SERVERS_SECRETS: readonly string[] = SERVER_KEYS
/** What must not come to a sink. */
export const SECRETS: readonly string[] = [...SERVER_KEYS, TOKEN, CALLERS_KEY]

/** A gateway, or a stand-in for one, and who calls it. */
export interface Setup {
  readonly name: string
  readonly port: number
  readonly origin: Origin
  /** A line that carries the caller's credential. */
  readonly credential: string
}

/** The setups of a run. */
export interface Setups {
  readonly all: readonly Setup[]
  readonly stop: () => Promise<void>
}

const WITH_TOKEN = `Authorization: Bearer ${TOKEN}`
const OWN_KEYS = {
  authorization: `Authorization: Bearer ${CALLERS_KEY}`,
  'x-api-key': `x-api-key: ${CALLERS_KEY}`,
  'api-key': `api-key: ${CALLERS_KEY}`,
  cookie: `Authorization: Bearer ${CALLERS_KEY}\r\nCookie: session=${CALLERS_KEY}`,
} as const

/**
 * Starts a gateway for each way in which a key is spent: the environment's behind a token, a file's in headers of its own and in the URL, over
 * TLS, and the caller's own in each header that carries one.
 */
export async function startSetups({ plain, tls, certificate }: Origins): Promise<Setups> {
  const guard = { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN }
  const account = {
    key_header: 'x-api-key',
    headers: { 'x-portkey-api-key': FILES_HEADER },
    query: { sig: FILES_PARAMETER },
  }
  const file = writeConfigFile({
    upstreams: {
      one: { base_url: `${plain.url}/v1`, api_key: FILES_KEY, path: '/deployments/{model}{path}', ...account },
    },
  })
  const tlsFile = writeConfigFile({
    upstreams: { one: { base_url: `${tls.url}/v1`, api_key: FILES_KEY, tls_ca: certificate.certFile } },
  })
  const environment = { OPENAI_API_BASE: `${plain.url}/v1`, OPENAI_API_KEY: ENVIRONMENTS_KEY }
  const start = (env: Env) => startGateway({ env: { ...env, MAX_FAILED_REPEATS: '0' } })
  const [guarded, own, byFile, overTls] = await Promise.all([
    start({ ...environment, ...guard }),
    start(environment),
    start({ ...guard, NEXCODE_CONFIG: file.path }),
    start({ ...guard, NEXCODE_CONFIG: tlsFile.path }),
  ])
  const gateways = [guarded, own, byFile, overTls]
  return {
    all: [
      { name: 'environment', port: guarded.port, origin: plain, credential: WITH_TOKEN },
      { name: 'file', port: byFile.port, origin: plain, credential: WITH_TOKEN },
      { name: 'tls', port: overTls.port, origin: tls, credential: WITH_TOKEN },
      ...Object.entries(OWN_KEYS).map(([name, credential]) => ({
        name: `own-${name}`,
        port: own.port,
        origin: plain,
        credential,
      })),
    ],
    async stop() {
      await Promise.all(gateways.map((gateway) => gateway.stop()))
      file.remove()
      tlsFile.remove()
    },
  }
}
