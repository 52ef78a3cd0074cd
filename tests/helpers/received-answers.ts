import { openRawClient, parseResponse, type RawResponse, sendRaw } from './raw-client.ts'

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

/** The status and the error of an answer of OpenAI's shape. */
export async function errorOf(response: Response): Promise<readonly [status: number, error: unknown]> {
  const { error } = (await response.json()) as { readonly error: unknown }
  return [response.status, error]
}

/** What a request is refused with, by itself: the status and the error's `param` and `code`. */
export interface Refusal {
  readonly status: number
  readonly param: string | null
  readonly code: string | null
}

/** Sends a request as it is and gives what it is refused with. */
export async function refusalOf(port: number, bytes: string | Uint8Array): Promise<Refusal> {
  const response: RawResponse = await sendRaw(port, bytes)
  const { error } = response.json() as { readonly error: Omit<Refusal, 'status'> }
  // Anthropic's form leaves out what there is not.
  return { status: response.status, param: error.param ?? null, code: error.code ?? null }
}

/** Whether a connection's bytes hold a whole head of a response. */
export function hasHead(received: Buffer): boolean {
  return received.includes('\r\n\r\n')
}
