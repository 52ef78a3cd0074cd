import { copyFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Env, gatewayCommand } from './gateway-under-test.ts'
import { getText, openRawClient, postText, type RawClient } from './raw-client.ts'
import { type ScriptedUpstream, startScriptedUpstream, type UpstreamConnection } from './scripted-upstream.ts'
import { startGateway, type TestGateway } from './start-gateway.ts'

/** The first event of each stream. */
export const EVENT = 'data: {"n":1}\n\n'

const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'

/** An upstream whose streams begin, and end when the test says so. */
export interface StreamingUpstream {
  readonly upstream: ScriptedUpstream
  /** Begins a stream on a connection to a gateway; resolves when its first event has come through. */
  readonly begin: (client: RawClient, name: string) => Promise<void>
  readonly finish: (name: string) => void
}

/** Starts an upstream whose streams begin with `EVENT`. */
export async function startStreamingUpstream(): Promise<StreamingUpstream> {
  const streams = new Map<string, UpstreamConnection>()
  const upstream = await startScriptedUpstream((request, connection) => {
    if (request.method === 'GET') return connection.json({ ok: true })
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    connection.chunk(EVENT)
    streams.set(request.header('x-stream') ?? '', connection)
  })
  return {
    upstream,
    async begin(client, name) {
      client.write(postText('/v1/chat/completions', CHAT, { Authorization: 'Bearer sk-mine', 'x-stream': name }))
      await client.until((received) => received.includes(EVENT))
    },
    finish(name) {
      streams.get(name)?.chunk('data: [DONE]\n\n')
      streams.get(name)?.endChunks()
    },
  }
}

/** Starts a gateway of several processes. */
export function startWorkers(
  { upstream }: StreamingUpstream,
  env: Env = {},
  command: readonly string[] = gatewayCommand(),
): Promise<TestGateway> {
  return startGateway({
    env: { OPENAI_API_BASE: `${upstream.url}/v1`, WORKERS: '2', LOG_LEVEL: 'debug', ...env },
    command,
  })
}

/** The program under test, in a file that can be taken away and brought back. */
export interface RemovableProgram {
  readonly command: readonly string[]
  readonly remove: () => void
  readonly restore: () => void
}

/** Puts the program under test into a folder. */
export function makeRemovable(folder: string): RemovableProgram {
  const [first = '', script] = gatewayCommand()
  const file = join(folder, script === undefined ? 'nexcode' : 'main.ts')
  if (script === undefined) copyFileSync(first, file)
  else writeFileSync(file, `await import(${JSON.stringify(script)})\n`)
  return {
    command: script === undefined ? [file] : [first, file],
    remove: () => renameSync(file, `${file}.away`),
    restore: () => renameSync(`${file}.away`, file),
  }
}

/** A connection to each worker of a gateway, by number: the system deals them out, and the log says to whom. */
export async function connectToEach(gateway: TestGateway, count = 2): Promise<Map<number, RawClient>> {
  const clients = new Map<number, RawClient>()
  while (clients.size < count) {
    const client = await openRawClient(gateway.port)
    const id = `connect-${crypto.randomUUID()}`
    client.write(getText('/health', { 'x-request-id': id }))
    await client.response()
    const { worker } = await gateway.line(({ request_id }) => request_id === id)
    if (clients.has(Number(worker))) client.leave()
    else clients.set(Number(worker), client)
  }
  return clients
}

/** What a connection has received behind the answer to its first request. */
export function laterBytes(client: RawClient): Buffer {
  const received = client.received()
  return received.subarray(received.indexOf('HTTP/1.1', 1))
}
