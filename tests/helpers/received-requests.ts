import type { ReceivedRequest, ScriptedUpstream } from './scripted-upstream.ts'

/** The last request that the upstream got. */
export function lastRequest({ requests }: ScriptedUpstream): ReceivedRequest {
  const last = requests.at(-1)
  if (last === undefined) throw new Error('The upstream got no request.')
  return last
}

/** The body of the last request that an upstream got, as it stood on the wire. */
export async function lastBody(upstream: ScriptedUpstream): Promise<string> {
  return Buffer.from(await lastRequest(upstream).body).toString()
}

/** Everything of a request as it stood on the wire, for searching. */
export async function wireText(request: ReceivedRequest): Promise<string> {
  const lines = request.headerLines.map(([name, value]) => `${name}: ${value}`)
  const body = Buffer.from(await request.body).toString('latin1')
  return [`${request.method} ${request.target}`, ...lines, '', body].join('\r\n')
}
