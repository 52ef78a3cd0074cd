import { Elysia } from 'elysia'
import type { Admission } from '../../access/admission.ts'
import type { Authorize } from '../../access/authorize.ts'
import type { DeploymentState } from '../../routing/targets/router.ts'
import { methodNotAllowed } from '../guard.ts'
import { exchangeOf } from '../request-context.ts'

/** Whether the process lives; the names that other gateways' users know. */
export const LIVENESS = ['/health', '/healthz', '/livez', '/health/liveliness', '/health/liveness'] as const

/** Whether it takes new requests. */
export const READINESS = ['/ready', '/readyz', '/health/readiness'] as const

/** The processes that serve, as each of them knows it, where there are several. */
export interface WorkersState {
  readonly up: number
  readonly of: number
  /** Whether all have been up at once. */
  readonly haveStarted: boolean
}

/** What health is told from. */
export interface HealthDeps {
  readonly admission: Admission
  readonly authorize: Authorize
  /** How the upstreams' targets are, as this process knows them; undefined: no file names any. */
  readonly targets: () => readonly DeploymentState[] | undefined
  readonly workers: (() => WorkersState) | undefined
}

/**
 * Health, for orchestrators: open to all, and never a call to a model, which would cost money.
 *
 * Where this process is one of several, `workers` tells how they are, and each answer speaks for all. One that was lost
 * does not make the others unready: they serve, and the lost one is started again.
 *
 * `parse: 'none'`, because Elysia reads the handlers' source to find out who wants a body, and errs where it is minified.
 */
export const health = ({ admission, authorize, targets, workers }: HealthDeps) => {
  const app = new Elysia({ name: 'nexcode/health', seed: admission })
  const live = (request: Request): Response => answer(request, 'health', { status: 'ok', workers: workers?.() })
  const ready = (request: Request): Response => {
    const state = workers?.()
    const isStarting = state?.haveStarted === false
    const status = admission.isDraining() ? 'draining' : isStarting ? 'starting' : 'ready'
    return answer(request, 'ready', {
      status,
      workers: state,
      targets: mayKnow(request, authorize) ? targets() : undefined,
    })
  }
  for (const path of LIVENESS) app.all(path, ({ request }) => live(request), { parse: 'none' })
  for (const path of READINESS) app.all(path, ({ request }) => ready(request), { parse: 'none' })
  return app
}

/** What the targets are like is for holders of a token, and programs of this machine's: it says who the upstreams are. */
function mayKnow(request: Request, authorize: Authorize): boolean {
  try {
    return authorize(exchangeOf(request)).kind !== 'caller'
  } catch {
    return false
  }
}

interface Health {
  readonly status: 'ok' | 'ready' | 'starting' | 'draining'
  readonly workers: WorkersState | undefined
  readonly targets?: readonly DeploymentState[] | undefined
}

function answer(request: Request, route: string, { status, workers, targets }: Health): Response {
  const exchange = exchangeOf(request)
  exchange.endpointName = route
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw methodNotAllowed(request.method, exchange.requestTarget)
  const isGood = status === 'ok' || status === 'ready'
  return Response.json(
    { status, workers: workers && { up: workers.up, of: workers.of }, targets },
    { status: isGood ? 200 : 503, headers: { 'cache-control': 'no-store', ...(!isGood && { 'retry-after': '1' }) } },
  )
}
