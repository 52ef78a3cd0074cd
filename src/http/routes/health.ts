import { Elysia } from 'elysia'
import type { Admission } from '../../limits/admission.ts'
import { methodNotAllowed } from '../guard.ts'
import { exchangeOf } from '../request-context.ts'

/** Whether the process lives; the names that other gateways' users know. */
const LIVENESS = ['/health', '/healthz', '/livez', '/health/liveliness', '/health/liveness'] as const

/** Whether it takes new requests. */
const READINESS = ['/ready', '/readyz', '/health/readiness'] as const

/** The processes that serve, as each of them knows it, where there are several. */
export interface WorkersState {
  readonly up: number
  readonly of: number
  /** Whether all have been up at once. */
  readonly haveStarted: boolean
}

/**
 * Health, for orchestrators: open to all, and never a call to a model, which would cost money.
 *
 * Where this process is one of several, `workers` tells how they are, and each answer speaks for all. One that was lost
 * does not make the others unready: they serve, and the lost one is started again.
 *
 * `parse: 'none'`, because Elysia reads the handlers' source to find out who wants a body, and errs where it is minified.
 */
export const health = (admission: Admission, workers?: () => WorkersState) => {
  const app = new Elysia({ name: 'nexcode/health', seed: admission })
  const live = (request: Request): Response => answer(request, 'health', 'ok', workers?.())
  const ready = (request: Request): Response => {
    const state = workers?.()
    const isStarting = state?.haveStarted === false
    return answer(request, 'ready', admission.isDraining() ? 'draining' : isStarting ? 'starting' : 'ready', state)
  }
  for (const path of LIVENESS) app.all(path, ({ request }) => live(request), { parse: 'none' })
  for (const path of READINESS) app.all(path, ({ request }) => ready(request), { parse: 'none' })
  return app
}

type Status = 'ok' | 'ready' | 'starting' | 'draining'

function answer(request: Request, route: string, status: Status, workers: WorkersState | undefined): Response {
  const exchange = exchangeOf(request)
  exchange.route = route
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed(request.method, exchange.target)
  const isGood = status === 'ok' || status === 'ready'
  return Response.json(
    { status, workers: workers && { up: workers.up, of: workers.of } },
    { status: isGood ? 200 : 503, headers: { 'cache-control': 'no-store' } },
  )
}
