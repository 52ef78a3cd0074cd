import type { Log } from '../../telemetry/log.ts'
import type { Deployment } from '../targets/deployment.ts'

/** A deployment that has one of the server's keys. */
type KeyedDeployment = Pick<Deployment, 'upstream' | 'keyIndex' | 'label' | 'health'>

/** An upstream's refusal of the server's key. */
export interface KeyFault {
  readonly status: number
  /** How long the key rests from now on; undefined: it rests already, and that has been logged. */
  readonly restMs: number | undefined
  /** Whether the key is valid, but has nothing left to spend. */
  readonly isSpent: boolean
}

/**
 * Logs one WARN when a key begins to rest, with the upstream's name and the key's. The key itself is in no log.
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
 * Lets a key rest that was refused in a call which is no attempt at its deployment, and logs that.
 *
 * @example
 * restKey(deployment, { status: 401, isSpent: false }, log)
 */
export function restKey(deployment: KeyedDeployment, said: Omit<KeyFault, 'restMs'>, log: Pick<Log, 'warn'>): void {
  const attempt = deployment.health.begin('server', true)
  warnOfKey(deployment, { ...said, restMs: attempt.refused() }, log)
  attempt.ended()
}
