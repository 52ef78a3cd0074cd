import { gatewayCommand } from '../../helpers/gateway-under-test.ts'
import {
  type ScriptedUpstream,
  startScriptedUpstream,
  type UpstreamConnection,
} from '../../helpers/scripted-upstream.ts'
import { startGateway } from '../../helpers/start-gateway.ts'

/** A server that can be asked to end. */
export interface EndingServer {
  readonly port: number
  /** As SIGTERM asks it. */
  readonly terminate: () => void
  /** Its exit code. */
  readonly exited: Promise<number>
  readonly stop: () => Promise<void>
}

/** The events of every stream. */
export const EVENTS: readonly string[] = Array.from(
  { length: 24 },
  (_, n) => `data: {"n":${n},"pad":"${'x'.repeat(n)}"}\n\n`,
)
/** All that a stream's client has to get. */
export const STREAM_TEXT = `${EVENTS.join('')}data: [DONE]\n\n`
/** The answer to what is no stream. */
export const ANSWER = '{"ok":true}'

const EVENT_MS = 40
const ANSWER_MS = 5

/** An upstream whose streams take a second, all in step, and whose other answers take 5 ms. */
export interface SteadyUpstream extends ScriptedUpstream {
  readonly stop: () => Promise<void>
}

/** Starts it. */
export async function startSteadyUpstream(): Promise<SteadyUpstream> {
  const streams = new Map<UpstreamConnection, number>()
  const upstream = await startScriptedUpstream(async (request, connection) => {
    const body = Buffer.from(await request.body).toString()
    if (body.includes('"stream":true')) {
      connection.startChunked(200, { 'content-type': 'text/event-stream' })
      streams.set(connection, 0)
    } else setTimeout(() => connection.respond(200, { 'content-type': 'application/json' }, ANSWER), ANSWER_MS)
  })
  const timer = setInterval(() => {
    for (const [connection, n] of streams) {
      connection.chunk(EVENTS[n] ?? 'data: [DONE]\n\n')
      streams.set(connection, n + 1)
      if (n < EVENTS.length) continue
      connection.endChunks()
      streams.delete(connection)
    }
  }, EVENT_MS)
  return {
    ...upstream,
    stop() {
      clearInterval(timer)
      return upstream.close()
    },
  }
}

/** Starts the gateway in front of it, as a process of its own. */
export async function startEndingGateway(upstream: ScriptedUpstream): Promise<EndingServer> {
  const gateway = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1` }, command: gatewayCommand() })
  const { child, port, stop } = gateway
  if (child === undefined) throw new Error('It is no process of its own.')
  return { port, terminate: () => child.kill('SIGTERM'), exited: child.exited, stop }
}

/** A server that ends at once where it is asked to, whatever it is at. */
export async function startHastyServer(): Promise<EndingServer> {
  const steady = await startSteadyUpstream()
  const exited = Promise.withResolvers<number>()
  return {
    port: steady.port,
    terminate() {
      void steady.stop().then(() => exited.resolve(0))
    },
    exited: exited.promise,
    stop: () => steady.stop(),
  }
}
