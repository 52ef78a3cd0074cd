import type { Duplex } from 'node:stream'
import type { MemoryBudget } from '../../exchange/memory-budget.ts'
import type { ApiError } from '../../openai/api-error.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import type { ConnectionRoomDeps, Crowd } from './connection-room.ts'
import type { RequestHead } from './request-head.ts'
import type { StalledCut } from './stalled-clients.ts'
import type { Turn } from './turn.ts'
import type { UploadPace } from './upload-rate.ts'

/** What a connection does with what comes by it. */
export interface Http1Deps {
  readonly deadlines: Deadlines
  /** Between two reads of a body that is waited for, in milliseconds; 0: none. */
  readonly uploadIdleMs: number
  /** How fast such a body has to come; absent: at any rate. */
  readonly uploadPace?: UploadPace
  /** How long a client may take nothing of what waits for it, in milliseconds; 0: for ever. */
  readonly writeIdleMs: number
  /** Counts what waits for clients that do not take it; absent: nothing does. */
  readonly memory?: MemoryBudget
  /** Is told when such a client is cut, since there is no memory left. */
  readonly onStalledCut?: (cut: StalledCut) => void
  /** Answers a request; nothing: the connection is reset. Rejects never, but for a defect, which resets it too. */
  readonly serve: (turn: Turn) => Promise<Response | undefined>
  /** Takes a WebSocket's upgrade: its socket, and what came behind the head. Absent: an upgrade is ignored (RFC 9110 §7.8). */
  readonly onUpgrade?: (head: RequestHead, socket: Duplex, rest: Uint8Array, from: string) => void
  /** The answer to bytes that are no request. */
  readonly refuse: (error: ApiError) => Response
  /** How many connections there may be; absent: as many as the files that may be open allow. */
  readonly connections?: Pick<ConnectionRoomDeps, 'connectionsMax' | 'sharePercent'>
  /** Is told when connections come near the number of files that may be open. */
  readonly onCrowded?: (crowd: Crowd) => void
  readonly onDefect: (cause: unknown) => void
}
