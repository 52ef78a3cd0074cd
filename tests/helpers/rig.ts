import { openRawClient, type RawClient } from './raw-client.ts'
import {
  type ReceivedRequest,
  type ScriptedUpstream,
  startScriptedUpstream,
  type UpstreamConnection,
} from './scripted-upstream.ts'
import { type Env, type LogLine, startGatewayProcess, startTestGateway, type TestGateway } from './start-gateway.ts'

/** A request that has come to the upstream, whose answer is the test's. */
export interface Arrival {
  readonly request: ReceivedRequest
  readonly connection: UpstreamConnection
}

/** A request under way. */
export interface Call {
  readonly client: RawClient
  /** The one line of the log about it, once it has ended. */
  readonly record: () => Promise<LogLine>
}

/** What is sent, where it is not a streamed chat completion. */
export interface Shot {
  readonly method?: string
  readonly target?: string
  readonly headers?: Readonly<Record<string, string>>
  /** null: no body, and no Content-Length. */
  readonly body?: string | Uint8Array | null
  readonly version?: '1.0' | '1.1'
}

/** A client, a gateway and an upstream, each step of whose talk is the test's. */
export interface Rig {
  readonly gateway: TestGateway
  readonly upstream: ScriptedUpstream
  /** Sends a request on a connection of its own. */
  readonly send: (shot?: Shot) => Promise<Call>
  /** The next request that arrives at the upstream; each is given once. */
  readonly arrival: () => Promise<Arrival>
  readonly stop: () => Promise<void>
}

export const CHAT_STREAM = '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'
export const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'
export const SSE = { 'content-type': 'text/event-stream' } as const

/** A caller who brings a key of its own. */
export const OWN_KEY = { Authorization: 'Bearer sk-callers-own' } as const

/** Starts a gateway in front of an upstream that does what the test does with each arrival. */
export async function startRig(env: Env = {}, inProcessOfItsOwn = false): Promise<Rig> {
  const arrived: Arrival[] = []
  const waiting: ((arrival: Arrival) => void)[] = []
  const upstream = await startScriptedUpstream((request, connection) => {
    const next = waiting.shift()
    if (next === undefined) arrived.push({ request, connection })
    else next({ request, connection })
  })
  const start = inProcessOfItsOwn ? startGatewayProcess : startTestGateway
  const gateway = await start({ OPENAI_API_BASE: `${upstream.url}/v1`, ...env })
  return {
    gateway,
    upstream,
    async send(shot = {}) {
      const id = `rig-${crypto.randomUUID()}`
      const client = await openRawClient(gateway.port)
      client.write(requestBytes(shot, id))
      return { client, record: () => gateway.line(({ msg, request_id }) => msg === 'exchange' && request_id === id) }
    },
    arrival() {
      const had = arrived.shift()
      return had === undefined ? new Promise((resolve) => void waiting.push(resolve)) : Promise.resolve(had)
    },
    async stop() {
      await gateway.stop()
      await upstream.close()
    },
  }
}

function requestBytes(shot: Shot, id: string): Uint8Array {
  const { method = 'POST', target = '/v1/chat/completions', body = CHAT_STREAM, version = '1.1' } = shot
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const headers = {
    Host: 'localhost',
    'X-Request-Id': id,
    ...(bytes !== null && { 'Content-Type': 'application/json', 'Content-Length': String(bytes.byteLength) }),
    ...(shot.headers ?? OWN_KEY),
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/${version}\r\n${lines.join('')}\r\n`),
    bytes ?? Buffer.alloc(0),
  ])
}

/** As good as at once: far below the limits of a gateway that was told none, far above what a busy machine makes of nothing. */
export const AT_ONCE_MS = 15_000

/** Fails where something takes longer than it may. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${what} took longer than ${ms} ms`)), ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Whether a connection's bytes hold a whole head of a response. */
export function hasHead(received: Buffer): boolean {
  return received.includes('\r\n\r\n')
}
