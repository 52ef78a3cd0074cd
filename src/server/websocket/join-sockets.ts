import type { Duplex } from 'node:stream'
import type { MemoryBudget } from '../../exchange/memory-budget.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadline, Deadlines } from '../../timing/deadlines.ts'
import { LINGER_MS } from '../http1/client-socket.ts'
import { type ByteFilter, pour } from './pour.ts'

/** How long nothing may move after one side has ended: a WebSocket has no use for half a connection. */
const HALF_OPEN_SILENCE_MS = 60_000

/** Two sockets to join, and the bytes that have been read from each before. */
export interface Junction {
  readonly client: Duplex
  readonly upstream: Duplex
  readonly fromClient: Uint8Array
  readonly fromUpstream: Uint8Array
  /** Changes bytes that go to the client. */
  readonly filter?: ByteFilter | undefined
  /** Changes bytes that go to the upstream. */
  readonly inwardFilter?: ByteFilter | undefined
  readonly deadlines: Deadlines
  /** How long a peer may take none of the bytes that wait for it; 0: for ever. */
  readonly idleMs: number
  /** Counts the bytes that wait for an upstream that takes nothing; a client's socket counts its own. Absent: they are not counted. */
  readonly memory?: MemoryBudget | undefined
}

/** How a junction ended. `bytesIn` came from the client, `bytesOut` from the upstream. */
export interface JunctionEnd {
  /** `cancelled`: the client reset it or took nothing; `failed`: the upstream did. */
  readonly kind: 'complete' | 'cancelled' | 'failed'
  readonly cause?: unknown
  readonly bytesIn: number
  readonly bytesOut: number
}

/**
 * Joins two sockets: the bytes of each go to the other unchanged, with back-pressure, until both are closed.
 *
 * The end of one side ends the other behind its last byte. A reset by the client closes the upstream at once; a reset by the
 * upstream closes the client when all its bytes have been written. Silence has no limit while both are open. Never rejects.
 *
 * @example
 * const end = await joinSockets({ client, upstream, fromClient, fromUpstream, deadlines, idleMs })
 */
export function joinSockets(junction: Junction): Promise<JunctionEnd> {
  const { client, upstream, deadlines, idleMs, memory } = junction
  return new Promise((resolve) => {
    let verdict: Pick<JunctionEnd, 'kind' | 'cause'> | undefined
    let upstreamError: unknown
    const hasEnded = { client: false, upstream: false }

    const cut = (kind: 'complete' | 'cancelled' | 'failed', cause?: unknown): void => {
      verdict ??= { kind, cause }
      client.destroy()
      upstream.destroy()
    }
    const stalled = (who: string): Error => new Error(`the ${who} took nothing for ${idleMs} ms`)
    const clientStall = deadlines.start(idleMs, () => cut('cancelled', stalled('client')))
    const upstreamLimit = deadlines.start(idleMs, () => cut('failed', stalled('upstream')))
    const full = (): void => cut('failed', new ApiError('memory_full'))
    const upstreamStall = memory === undefined ? upstreamLimit : countedStall(upstreamLimit, memory, full)
    const silence = deadlines.start(HALF_OPEN_SILENCE_MS, () => cut('complete'))
    const linger = deadlines.start(LINGER_MS, () => cut('complete'))
    silence.suspend()
    linger.suspend()

    const onEnd = (side: 'client' | 'upstream'): void => {
      hasEnded[side] = true
      silence.touch()
    }
    const onMove = (): void => {
      if (hasEnded.client || hasEnded.upstream) silence.touch()
    }
    const lingerOn = (socket: Duplex): void => {
      if (socket.writableFinished) linger.touch()
      else socket.once('finish', () => linger.touch())
    }
    const onClose = (): void => {
      if (!client.closed || !upstream.closed) return
      for (const limit of [clientStall, upstreamStall, silence, linger]) limit.clear()
      resolve({ kind: 'complete', ...verdict, bytesIn: inward.bytes, bytesOut: outward.bytes })
    }

    client
      .on('end', () => onEnd('client'))
      .on('data', onMove)
      .on('drain', onMove)
    upstream
      .on('end', () => onEnd('upstream'))
      .on('data', onMove)
      .on('drain', onMove)
    upstream.on('error', (cause: unknown) => {
      upstreamError = cause
    })
    client.on('close', () => {
      // A reset shows as an end followed by this event, with bytes of ours unwritten.
      if (!client.writableFinished) cut(hasEnded.client && hasEnded.upstream ? 'complete' : 'cancelled')
      inward.finish()
      lingerOn(upstream)
      onClose()
    })
    upstream.on('close', () => {
      outward.finish()
      if (hasEnded.upstream) lingerOn(client)
      else {
        verdict ??= { kind: 'failed', cause: upstreamError ?? new Error('the upstream broke the connection') }
        client.once('finish', () => client.destroy())
      }
      onClose()
    })
    const inward = pour(client, upstream, junction.fromClient, upstreamStall, junction.inwardFilter)
    const outward = pour(upstream, client, junction.fromUpstream, clientStall, junction.filter)
  })
}

/** The most bytes that wait for a side of a WebSocket that takes nothing: two reads of the other side. */
const STALLED_BYTES = 1024 * 1024

/** Makes a stall limit that also takes memory while it runs, for the bytes that wait; calls `onFull` when there is none. */
function countedStall(limit: Deadline, memory: MemoryBudget, onFull: () => void): Deadline {
  let isTaken = false
  const give = (): void => {
    if (isTaken) memory.give(STALLED_BYTES)
    isTaken = false
  }
  return {
    touch() {
      limit.touch()
      if (isTaken) return
      isTaken = memory.take(STALLED_BYTES)
      if (!isTaken) onFull()
    },
    suspend() {
      give()
      limit.suspend()
    },
    clear() {
      give()
      limit.clear()
    },
  }
}
