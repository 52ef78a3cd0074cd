import type { Exchange } from '../exchange/exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import { keyRefusalOf, maySpeakOfKey } from '../openai/key-refusal.ts'
import { readError } from '../routing/attempts/judge-answer.ts'
import { warnOfKey } from '../routing/attempts/warn-of-key.ts'
import type { DeploymentAddress } from '../routing/deployment-address.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import type { Log } from '../telemetry/log.ts'
import type { Deadlines } from '../timing/deadlines.ts'

/** An upstream's answer to an upgrade, where that is no 101. */
export interface RefusedUpgrade {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer>
  /** The time to it. */
  readonly ms: number
}

/** Statuses with which a server answers an upgrade that it knows nothing of. */
const WITHOUT_WEBSOCKET: ReadonlySet<number> = new Set([400, 404, 405, 415, 422, 501])

/**
 * Whether a server that refuses an upgrade seems to offer no WebSocket there: it answers as to any GET, or, as uvicorn does where
 * no route fits, with a 403 that says nothing.
 *
 * @example
 * if (lacksWebSocket(refusal)) throw new ApiError('websocket_not_relayed')
 */
export function lacksWebSocket({ status, body }: Pick<RefusedUpgrade, 'status' | 'body'>): boolean {
  return status < 300 || WITHOUT_WEBSOCKET.has(status) || (status === 403 && body.byteLength === 0)
}

/** The dependencies of a watched upgrade. */
export interface WatchDeps {
  readonly deadlines: Deadlines
  readonly log: Pick<Log, 'warn'>
}

/** The events of an upgrade that goes upstream. */
export interface UpgradeWatch<Next> {
  /** The upstream has switched, after so many ms. */
  readonly onSwitch: (ms: number) => void
  /** It has refused. Rejects with `upstream_key_refused` where that speaks of the server's key. */
  readonly onRefusal: (refusal: RefusedUpgrade) => Promise<void>
  /** The upstream gave no answer. Gives the next step in place of it, if there is one. */
  readonly onUnanswered: (error: ApiError) => Promise<Next | undefined>
}

/**
 * Begins an attempt at an upgrade, and gives the watch that reports its outcome to the deployment's health and to the exchange.
 *
 * `another` gives the next attempt, where there is one; it is made only where the server's key was refused, since the upstream has
 * done nothing then.
 */
export function watchUpgrade<Next>(
  exchange: Exchange,
  deployment: Deployment,
  { account, spentKey: secret }: Pick<DeploymentAddress, 'account' | 'spentKey'>,
  another: () => Promise<Next | undefined>,
  deps: WatchDeps,
): UpgradeWatch<Next> {
  const attempt = deployment.health.begin(account, secret !== undefined)
  exchange.atEnd(() => attempt.ended())
  const note = (status: number | undefined, ms: number, why?: string): void => {
    exchange.onAttempt({ target: deployment.label, status, ms: Math.round(ms), why })
  }
  let isTold = false
  const answered = (status: number, ms: number): void => {
    isTold = true
    attempt.answered(status, ms)
    note(status, ms)
  }
  return {
    onSwitch: (ms) => answered(101, ms),
    async onRefusal({ status, headers, body, ms }) {
      if (secret === undefined || !maySpeakOfKey(status)) return answered(status, ms)
      const { value } = await readError(new Response(body, { status, headers }), exchange.abort, deps)
      const key = keyRefusalOf(status, value, { namesAccount: account === 'caller' })
      if (key === undefined) return answered(status, ms)
      isTold = true
      warnOfKey(deployment, { status, restMs: attempt.refused(), isSpent: key === 'spent' }, deps.log)
      note(status, ms, `key_${key}`)
      if (key === 'refused') throw new ApiError('upstream_key_refused', { cause: `the upstream answered ${status}` })
    },
    async onUnanswered(error) {
      if (error.kind === 'upstream_key_refused') {
        attempt.ended()
        return await another()
      }
      if (isTold) return undefined
      if (exchange.abort.signal.aborted || error.kind === 'out_of_connections') attempt.abandoned()
      else attempt.failed()
      note(undefined, 0, undefined)
      return undefined
    },
  }
}
