import { setOwnCredentials } from '../../access/credentials.ts'
import type { Secret } from '../../config/secret.ts'
import { describeSystemError } from '../../config/system-errors.ts'
import { isJsonObject } from '../../formats/json/json.ts'
import { type AskAdmin, ManageProblem } from './ask-admin.ts'

const TIMEOUT_MS = 30_000
const BEARER = { keyHeader: 'authorization', headers: [] } as const

/**
 * Makes the function that asks a running server's Administration API. `base` is its address without `/v1`.
 *
 * @example
 * const projects = await remoteAsk('http://localhost:8000', adminKey)('GET', '/projects')
 */
export function remoteAsk(base: string, adminKey: Secret): AskAdmin {
  return async (method, path, body) => {
    const headers = new Headers({ 'content-type': 'application/json' })
    setOwnCredentials(headers, BEARER, adminKey)
    const answer = await fetch(`${base}/v1/organization${path}`, {
      method,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new ManageProblem(`${base} does not answer: ${describeSystemError(cause)}. Is the server running?`, {
        cause,
      })
    })
    const value: unknown = await answer.json().catch(() => undefined)
    if (answer.ok && isJsonObject(value)) return value
    const message = errorMessageIn(value) ?? `${base} answered ${answer.status}: is that a NexCode with a ledger?`
    throw new ManageProblem(message, { status: answer.status })
  }
}

function errorMessageIn(value: unknown): string | undefined {
  const error = isJsonObject(value) ? value['error'] : undefined
  const message = isJsonObject(error) ? error['message'] : undefined
  return typeof message === 'string' ? message : undefined
}
