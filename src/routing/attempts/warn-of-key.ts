import type { Log } from '../../telemetry/log.ts'
import type { Lane } from '../targets/router.ts'

/** A lane with a key of the server's. */
type KeyedLane = Pick<Lane, 'upstream' | 'keyIndex' | 'label' | 'health'>

/** What an upstream has said of the server's key. */
export interface KeyFault {
  readonly status: number
  /** How long the key rests from now on; undefined: it rests already, and that has been said. */
  readonly restMs: number | undefined
  /** Whether it is good, but has nothing left to spend. */
  readonly isSpent: boolean
}

/**
 * Writes the one WARN of a key that begins to rest: which upstream's, and what it is called. The key itself is in no log.
 *
 * @example
 * warnOfKey(lane, { status: 401, restMs: attempt.refused(), isSpent: false }, log)
 */
export function warnOfKey(
  { upstream, keyIndex, label }: KeyedLane,
  { status, restMs, isSpent }: KeyFault,
  log: Pick<Log, 'warn'>,
): void {
  if (restMs === undefined) return
  const key = upstream.keyNames[keyIndex] ?? `#${keyIndex + 1}`
  const said = isSpent ? 'says that this server’s key has nothing left to spend' : 'refused this server’s key'
  log.warn({ upstream: upstream.name, key, target: label, status, rests_ms: restMs }, `an upstream ${said}: it rests`)
}

/**
 * Has a key rest that was refused to a call which is no attempt at its lane, and says so.
 *
 * @example
 * restKey(lane, { status: 401, isSpent: false }, log)
 */
export function restKey(lane: KeyedLane, said: Omit<KeyFault, 'restMs'>, log: Pick<Log, 'warn'>): void {
  const attempt = lane.health.begin('server', true)
  warnOfKey(lane, { ...said, restMs: attempt.refused() }, log)
  attempt.ended()
}
