import { openRawClient, parseResponse, type RawResponse, sendRaw } from './raw-client.ts'
import { type ReceivedRequest, type Script, type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts'
import { type Env, startTestGateway, type TestGateway } from './start-gateway.ts'

/** A gateway and the upstream behind it. */
export interface Pair {
  readonly upstream: ScriptedUpstream
  readonly gateway: TestGateway
  readonly port: number
  /** Ends both. */
  readonly stop: () => Promise<void>
}

/** Answers every request with a little JSON once its body has come. */
export const answerOk: Script = async (request, connection) => {
  await request.body
  connection.json({ ok: true })
}

/** Starts a gateway in front of a scripted upstream. */
export async function startPair(env: Env = {}, script: Script = answerOk): Promise<Pair> {
  const upstream = await startScriptedUpstream(script)
  const gateway = await startTestGateway({ OPENAI_API_BASE: `${upstream.url}/v1`, ...env })
  return {
    upstream,
    gateway,
    port: gateway.port,
    async stop() {
      await gateway.stop()
      await upstream.close()
    },
  }
}

/** The last request that the upstream got. */
export function lastRequest({ requests }: ScriptedUpstream): ReceivedRequest {
  const last = requests.at(-1)
  if (last === undefined) throw new Error('The upstream got no request.')
  return last
}

/** Everything of a request as it stood on the wire, for searching. */
export async function wireText(request: ReceivedRequest): Promise<string> {
  const lines = request.headerLines.map(([name, value]) => `${name}: ${value}`)
  const body = Buffer.from(await request.body).toString('latin1')
  return [`${request.method} ${request.target}`, ...lines, '', body].join('\r\n')
}

/** Sends each request on a connection of its own and gives what `read` makes of each answer, by label. */
export async function answersOf<T>(
  port: number,
  requests: Readonly<Record<string, string | Uint8Array>>,
  read: (response: RawResponse) => T,
): Promise<Record<string, T>> {
  const entries = Object.entries(requests).map(
    async ([label, bytes]) => [label, read(await sendRaw(port, bytes))] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}

/** The status and OpenAI's `code` of an answer, such as `401 invalid_api_key`. */
export function statusAndCode(response: RawResponse): string {
  if (response.status < 400) return String(response.status)
  const { error } = response.json() as { error: { code: string | null } }
  return `${response.status} ${error.code}`
}

/** The same expectation for each label. */
export function all<T>(labels: Iterable<string>, value: T): Record<string, T> {
  return Object.fromEntries([...labels].map((label) => [label, value]))
}

/** Sends bytes, and gives all that comes back until the connection closes or nothing more can be due. */
export async function sendUntilClosed(port: number, bytes: string | Uint8Array): Promise<string> {
  const client = await openRawClient(port)
  client.write(bytes)
  await client.closed
  return client.received().toString('latin1')
}

/** Cuts bytes into the complete responses that they hold, one after another, each with a Content-Length. */
export function splitResponses(received: Buffer): RawResponse[] {
  const responses: RawResponse[] = []
  let rest = received
  for (;;) {
    const head = parseResponse(rest)
    if (head === undefined || !head.isComplete) return responses
    const end = rest.byteLength - head.raw.byteLength + Number(head.headers.get('content-length') ?? 0)
    const response = parseResponse(rest.subarray(0, end))
    if (response === undefined) return responses
    responses.push(response)
    rest = rest.subarray(end)
  }
}

/** Runs something with a pair of its own, and ends that. */
export async function withPair(env: Env, run: (pair: Pair) => Promise<void>): Promise<void> {
  const pair = await startPair(env)
  try {
    await run(pair)
  } finally {
    await pair.stop()
  }
}
