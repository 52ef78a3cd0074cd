import { Elysia } from 'elysia'
import type { Admission } from '../../limits/admission.ts'
import { methodNotAllowed } from '../guard.ts'
import { exchangeOf } from '../request-context.ts'

/** Whether the process lives; the names that other gateways' users know. */
const LIVENESS = ['/health', '/healthz', '/livez', '/health/liveliness', '/health/liveness'] as const

/** Whether it takes new requests. */
const READINESS = ['/ready', '/readyz', '/health/readiness'] as const

/**
 * Health, for orchestrators: open to all, and never a call to a model, which would cost money.
 *
 * `parse: 'none'`, because Elysia reads the handlers' source to find out who wants a body, and errs where it is minified.
 */
export const health = (admission: Admission) => {
  const app = new Elysia({ name: 'nexcode/health', seed: admission })
  for (const path of LIVENESS) app.all(path, ({ request }) => answer(request, 'health', true, 'ok'), { parse: 'none' })
  for (const path of READINESS) {
    const ready = (request: Request): Response => {
      const isReady = !admission.isDraining()
      return answer(request, 'ready', isReady, isReady ? 'ready' : 'draining')
    }
    app.all(path, ({ request }) => ready(request), { parse: 'none' })
  }
  return app
}

function answer(request: Request, route: string, isGood: boolean, status: string): Response {
  const exchange = exchangeOf(request)
  exchange.route = route
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed(request.method, exchange.target)
  return Response.json({ status }, { status: isGood ? 200 : 503, headers: { 'cache-control': 'no-store' } })
}
