import { readConfiguration } from './configuration.ts'
import { serverUrl } from './server-url.ts'

const TIMEOUT_MS = 3_000

/** Asks the server of this machine's configuration whether it is healthy: 0 yes, 1 no, 2 no valid configuration. */
export async function healthcheck(): Promise<number> {
  const config = readConfiguration(process.env)
  if (config === undefined) return 2
  const url = `${serverUrl(config.server, config.server.port, '127.0.0.1')}/health`
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      // It is this very server that is asked, by an address that its certificate need not name.
      tls: { rejectUnauthorized: false },
      proxy: '',
    })
    if (response.ok) return 0
    process.stderr.write(`nexcode healthcheck: ${url} answered ${response.status}.\n`)
  } catch (cause) {
    process.stderr.write(
      `nexcode healthcheck: ${url} does not answer: ${cause instanceof Error ? cause.message : String(cause)}\n`,
    )
  }
  return 1
}
