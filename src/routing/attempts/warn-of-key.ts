import type { Log } from '../../telemetry/log.ts'
import type { Deployment } from '../targets/router.ts'

/** A deployment with a key of the server's. */
type KeyedDeployment = Pick<Deployment, 'upstream' | 'keyIndex' | 'label' | 'health'>

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
 * warnOfKey(deployment, { status: 401, restMs: attempt.refused(), isSpent: false }, log)
 */
export function warnOfKey(
  { upstream, keyIndex, label }: KeyedDeployment,
  { status, restMs, isSpent }: KeyFault,
  log: Pick<Log, 'warn'>,
): void {
  if (restMs === undefined) return
  const key = upstream.keyNames[keyIndex] ?? `#${keyIndex + 1}`
  const said = isSpent ? 'says that this server’s key has nothing left to spend' : 'refused this server’s key'
  log.warn({ upstream: upstream.name, key, target: label, status, rests_ms: restMs }, `an upstream ${said}: it rests`)
}

/**
 * Has a key rest that was refused to a call which is no attempt at its deployment, and says so.
 *
 * @example
 * restKey(deployment, { status: 401, isSpent: false }, log)
 */
export function restKey(deployment: KeyedDeployment, said: Omit<KeyFault, 'restMs'>, log: Pick<Log, 'warn'>): void {
  const attempt = deployment.health.begin('server', true)
  warnOfKey(deployment, { ...said, restMs: attempt.refused() }, log)
  attempt.ended()
}
