import { get } from 'node:http'
import { get as getTls, type RequestOptions } from 'node:https'
import { describeSystemError } from '../config/system-errors.ts'
import { readConfiguration } from '../process/configuration.ts'
import { serverUrl } from '../process/server-url.ts'

const TIMEOUT_MS = 3_000

/**
 * Asks this machine's server, by its configuration, whether it is healthy. Gives the exit code: 0 yes, 1 no, 2 for an invalid
 * configuration.
 */
export async function healthcheck(): Promise<number> {
  const config = readConfiguration(process.env)
  if (config === undefined) return 2
  const url = `${serverUrl(config.server, config.server.port, '127.0.0.1')}/health`
  try {
    const status = await statusOf(url)
    if (status === 200) return 0
    process.stderr.write(`nexcode healthcheck: ${url} answered ${status}.\n`)
  } catch (cause) {
    process.stderr.write(`nexcode healthcheck: ${url} does not answer: ${describeSystemError(cause)}.\n`)
  }
  return 1
}

/** Asks without `fetch`, which would go through the proxy for upstreams. Rejects with the system's error. */
function statusOf(url: string): Promise<number | undefined> {
  const options: RequestOptions = {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    // The server is this machine's own, called by an address that its certificate need not name.
    rejectUnauthorized: false,
  }
  return new Promise((resolve, reject) => {
    const call = (url.startsWith('https:') ? getTls : get)(url, options, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    call.on('error', reject)
  })
}
