import { getText, openRawClient, postText, type RawClient } from '../../helpers/raw-client.ts'
import type { Random } from '../random.ts'
import { ABORT_HEADER, EVENT, LAST_EVENT, type PatientUpstream } from './patient-upstream.ts'

/** One abort: where it is done to, and by what it is known. */
export interface Abort {
  readonly id: string
  readonly port: number
  readonly upstream: Pick<PatientUpstream, 'arrival'>
  readonly random: Random
}

/** Brings a client to the phase in which it leaves. */
export type Phase = (client: RawClient, abort: Abort) => Promise<unknown>

const BODY = `{"model":"m","stream":true,"input":"${'x'.repeat(500)}"}`
const CHAT = '{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'
const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
} as const
/** A masked frame of text, without its last bytes (RFC 6455 §5.2). */
const HALF_FRAME = Buffer.from([0x81, 0x8a, 1, 2, 3, 4, 0x61, 0x62])

const headersOf = ({ id }: Abort) => ({ Authorization: 'Bearer sk-mine', [ABORT_HEADER]: id })
const bytesOf = (path: string, abort: Abort): string => postText(`/v1/responses/${path}`, BODY, headersOf(abort))

/** Sends a part of some bytes, cut anywhere. */
function sendPart(client: RawClient, bytes: string, from: number, { random }: Abort): Promise<void> {
  client.write(bytes.slice(0, from + random.below(bytes.length - from)))
  return Bun.sleep(random.below(4))
}

function has(text: string, times = 1): (received: Buffer) => boolean {
  return (received) => received.toString('latin1').split(text).length > times
}

/** Every phase of a connection in which a client may leave. */
export const PHASES: Readonly<Record<string, Phase>> = {
  connect: async () => undefined,
  head: (client, abort) => {
    const bytes = bytesOf('waiting', abort)
    return sendPart(client, bytes.slice(0, bytes.indexOf('\r\n\r\n')), 1, abort)
  },
  body: (client, abort) => {
    const bytes = postText('/v1/chat/completions', CHAT, headersOf(abort))
    return sendPart(client, bytes, bytes.indexOf('\r\n\r\n') + 4, abort)
  },
  upload: async (client, abort) => {
    client.write(
      `${getText('/v1/files', { ...headersOf(abort), 'Content-Length': '100000' }, 'POST')}${'x'.repeat(1000)}`,
    )
    await abort.upstream.arrival(abort.id)
  },
  waiting: async (client, abort) => {
    client.write(bytesOf('waiting', abort))
    await abort.upstream.arrival(abort.id)
  },
  'first-byte': async (client, abort) => {
    client.write(bytesOf('stream', abort))
    await client.until(has('\r\n\r\n'))
  },
  'mid-stream': async (client, abort) => {
    client.write(bytesOf('stream', abort))
    await client.until(has(EVENT, 3))
  },
  end: async (client, abort) => {
    client.write(bytesOf('ending', abort))
    await client.until(has(LAST_EVENT))
  },
  'not-read': async (client, abort) => {
    client.socket.pause()
    client.write(bytesOf('large', abort))
    await abort.upstream.arrival(abort.id)
    await Bun.sleep(abort.random.below(5))
  },
  pipelined: async (client, abort) => {
    client.write(bytesOf('waiting', abort).repeat(2))
    await abort.upstream.arrival(abort.id)
  },
  websocket: async (client, abort) => {
    client.write(getText('/v1/realtime?model=m', { ...headersOf(abort), ...UPGRADE }))
    await client.until(has('101 '))
    client.write(HALF_FRAME)
  },
}

const LEAVING: readonly ((client: RawClient) => void)[] = [
  (client) => client.leave(),
  (client) => void client.socket.resetAndDestroy(),
  (client) => void client.socket.end(() => client.leave()),
]

/** Opens a connection, goes to a phase, and leaves: by a FIN, a reset, or a FIN of one side first. */
export async function abortIn(phase: Phase, abort: Abort): Promise<void> {
  const client = await openRawClient(abort.port)
  try {
    await phase(client, abort)
  } finally {
    abort.random.pick(LEAVING)(client)
  }
  await client.closed
}
