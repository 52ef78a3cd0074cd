import {
  type ScriptedUpstream,
  startScriptedUpstream,
  type UpstreamConnection,
} from '../../helpers/scripted-upstream.ts'
import type { FaultCase } from './fault-cases.ts'

/** The header by which a call says which fault it is to meet; without it, it is answered in full at once. */
export const FAULT_HEADER = 'x-fault'

/** An upstream behind a connection that does to each answer what its case says. */
export interface FaultyServer {
  readonly upstream: ScriptedUpstream
  /** How often a case has come. */
  readonly arrivals: (id: string) => number
  /** When the fault struck, or was over: from then on nothing else came, or all the rest. */
  readonly struckAt: (id: string) => number | undefined
}

/** Of a slow answer so many bytes come one by one; the rest is as fast as ever. */
const SLOW_BYTES = 20
/** The pause before each of them. */
const SLOW_MS = 100
const DELAY_MS = 40
const GARBAGE_BYTES = 64
const SLICE_BYTES_MAX = 7
const SLICES_MAX = 200
const PLAIN = JSON.stringify({ ok: true })

/** Starts it; `poison` has the toxic of a case begin. */
export async function startFaultyServer(
  cases: readonly FaultCase[],
  poison: (id: string) => Promise<void> = () => Promise.resolve(),
): Promise<FaultyServer> {
  const byId = new Map(cases.map((one) => [one.id, one]))
  const arrivals = new Map<string, number>()
  const struckAt = new Map<string, number>()
  const upstream = await startScriptedUpstream(async (request, connection) => {
    await request.body
    const id = request.header(FAULT_HEADER) ?? ''
    arrivals.set(id, (arrivals.get(id) ?? 0) + 1)
    const one = byId.get(id)
    if (one === undefined) {
      connection.respond(200, { 'content-type': 'application/json' }, PLAIN)
      return
    }
    if (one.at > 0) connection.write(one.answer.bytes.subarray(0, one.at))
    // What has been written has left, and been read: a reset would take it along.
    if (one.at > 0) await Bun.sleep(READ_MS)
    if (one.toxic !== undefined) await poison(id)
    struckAt.set(id, performance.now())
    await strike(one, connection, () => struckAt.set(id, performance.now()))
  })
  return { upstream, arrivals: (id) => arrivals.get(id) ?? 0, struckAt: (id) => struckAt.get(id) }
}

const READ_MS = 15

async function strike(
  { kind, place, at, answer, random }: FaultCase,
  connection: UpstreamConnection,
  onOver: () => void,
): Promise<void> {
  const { socket, write, reset } = connection
  const rest = answer.bytes.subarray(at)
  const finish = (last: Buffer): void => {
    if (socket.destroyed) return
    onOver()
    if (last.byteLength > 0) write(last)
    if (answer.bytes.includes('connection: close')) socket.end()
  }
  switch (kind) {
    case 'reset':
      reset()
      break
    case 'close':
    case 'truncated':
      socket.end()
      break
    case 'stall':
      break
    case 'half-open':
      // Nothing is read any more either, not even that the other side has gone.
      socket.pause()
      break
    case 'garbage':
      write(Uint8Array.from({ length: GARBAGE_BYTES }, () => 0x80 + random.below(0x80)))
      break
    case 'slow':
      await drip(rest.subarray(0, SLOW_BYTES), 1, SLOW_MS, connection)
      finish(rest.subarray(SLOW_BYTES))
      break
    case 'sliced':
      await drip(
        rest,
        1 + Math.max(random.below(SLICE_BYTES_MAX), Math.ceil(rest.byteLength / SLICES_MAX)),
        0,
        connection,
      )
      finish(Buffer.alloc(0))
      break
    case 'delayed':
      await Bun.sleep(DELAY_MS)
      finish(rest)
      break
    case 'toxic-slow_close':
      // Who leaves in time: that it is seen late is all.
      if (place === 'end') finish(rest)
      else socket.end()
      break
    default:
      // All that is wrong happens on the way.
      finish(rest)
  }
}

async function drip(
  bytes: Buffer,
  size: number,
  pauseMs: number,
  { write, socket }: UpstreamConnection,
): Promise<void> {
  for (let at = 0; at < bytes.byteLength && !socket.destroyed; at += size) {
    if (pauseMs > 0) await Bun.sleep(pauseMs)
    else await new Promise((resolve) => void setImmediate(resolve))
    write(bytes.subarray(at, at + size))
  }
}
