import { Elysia } from 'elysia'
import type { Admission } from '../../access/admission.ts'
import type { Authorize } from '../../access/authorize.ts'
import type { Books } from '../../ledger/books.ts'
import type { DeploymentState } from '../../routing/targets/deployment.ts'
import { methodNotAllowed } from '../guard.ts'
import { exchangeOf } from '../request-context.ts'

/** Paths that tell whether the process lives: the names that users of other gateways know. */
export const LIVENESS = ['/health', '/healthz', '/livez', '/health/liveliness', '/health/liveness'] as const

/** Paths that tell whether the process takes new requests. */
export const READINESS = ['/ready', '/readyz', '/health/readiness'] as const

/** The state of the worker processes, as each of them knows it. */
export interface WorkersState {
  readonly up: number
  readonly of: number
  /** Whether all have been up at once. */
  readonly haveStarted: boolean
}

/** The dependencies of the health routes. */
export interface HealthDeps {
  readonly admission: Admission
  readonly authorize: Authorize
  /** Gives the states of the targets, as this process knows them; undefined: no file names any. */
  readonly targets: () => readonly DeploymentState[] | undefined
  readonly workers: (() => WorkersState) | undefined
  /** undefined: there is no ledger. */
  readonly books?: Books | undefined
}

/**
 * Makes the health routes, for orchestrators: open to all, and they never call a model, which would cost money.
 *
 * With several worker processes, `workers` gives their state, and each answer speaks for all. A lost worker does not make the
 * others unready: they serve, and the lost one is started again.
 *
 * `parse: 'none'`, because Elysia reads a handler's source to find out whether it wants a body, and errs when that is minified.
 */
export const health = ({ admission, authorize, targets, workers, books }: HealthDeps) => {
  const app = new Elysia({ name: 'nexcode/health', seed: admission })
  const live = (request: Request): Response => answer(request, 'health', { status: 'ok', workers: workers?.() })
  const ready = (request: Request): Response => {
    const state = workers?.()
    const isStarting = state?.haveStarted === false
    const isBlind = books?.directory.isLoaded === false
    const status = admission.isDraining()
      ? 'draining'
      : isStarting
        ? 'starting'
        : isBlind
          ? 'ledger_unavailable'
          : 'ready'
    const isTold = mayKnow(request, authorize)
    return answer(request, 'ready', {
      status,
      workers: state,
      targets: isTold ? targets() : undefined,
      ledger: isTold && books !== undefined ? stateOf(books) : undefined,
    })
  }
  for (const path of LIVENESS) app.all(path, ({ request }) => live(request), { parse: 'none' })
  for (const path of READINESS) app.all(path, ({ request }) => ready(request), { parse: 'none' })
  return app
}

/** Whether the caller may see the targets, which say who the upstreams are: holders of a token, and programs on this machine. */
function mayKnow(request: Request, authorize: Authorize): boolean {
  try {
    const { kind } = authorize(exchangeOf(request))
    return kind === 'token' || kind === 'local'
  } catch {
    return false
  }
}

/** The state of the ledger: a server whose ledger is down is ready, since the keys that it knows go on, but not where it has never known any. */
interface LedgerState {
  /** Whether the keys are those of now. */
  readonly keys: 'fresh' | 'stale' | 'unknown'
  /** Why limits can't be decided, or rows can't be written. */
  readonly limits: 'ok' | { readonly down: string }
  readonly bookings: 'ok' | { readonly down: string }
}

function stateOf({ directory, limiter, bookings }: Books): LedgerState {
  const keys = directory.isFresh ? 'fresh' : directory.isLoaded ? 'stale' : 'unknown'
  return { keys, limits: limiter.state(), bookings: bookings.state() }
}

interface Health {
  readonly status: 'ok' | 'ready' | 'starting' | 'draining' | 'ledger_unavailable'
  readonly workers: WorkersState | undefined
  readonly targets?: readonly DeploymentState[] | undefined
  readonly ledger?: LedgerState | undefined
}

function answer(request: Request, endpointName: string, { status, workers, targets, ledger }: Health): Response {
  const exchange = exchangeOf(request)
  exchange.endpointName = endpointName
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw methodNotAllowed(request.method, exchange.requestTarget)
  const isGood = status === 'ok' || status === 'ready'
  return Response.json(
    { status, workers: workers && { up: workers.up, of: workers.of }, targets, ledger },
    { status: isGood ? 200 : 503, headers: { 'cache-control': 'no-store', ...(!isGood && { 'retry-after': '1' }) } },
  )
}
