import { createBeside } from '../beside.ts'
import type { IncomingBody } from '../exchange.ts'
import { ApiError } from '../openai/api-error.ts'

/** What the edge knows of a request that a standard `Request` can't hold. */
export interface Arrival {
  /** The request target exactly as it stood on the request line, before any URL parser touched it. */
  readonly target: string
  /** Aborted by the edge, with `client_closed`, when the client leaves; the exchange's own clocks abort it too. */
  readonly abort: AbortController
  /** The body, where the request announces one: as the edge has it, which saves a stream; the request is without it then. */
  readonly body: IncomingBody | undefined
  /** Whether the edge reads the notes beside a response (`stream/body-note.ts`). */
  readonly hasNotes: boolean
}

const arrivals = createBeside<Request, Arrival>('arrival')

/**
 * Keeps what the edge knows beside its request.
 *
 * @example
 * noteArrival(request, { target, abort, body: undefined, hasNotes: true })
 */
export function noteArrival(request: Request, arrival: Arrival): void {
  arrivals.set(request, arrival)
}

/** What is known of a request's arrival; of one that no edge brought, what the request itself tells. */
export function arrivalOf(request: Request): Arrival {
  const noted = arrivals.get(request)
  if (noted !== undefined) return noted
  const url = new URL(request.url)
  const abort = new AbortController()
  const leave = (): void => abort.abort(new ApiError('client_closed'))
  request.signal.addEventListener('abort', leave, { once: true })
  if (request.signal.aborted) leave()
  return { target: url.pathname + url.search, abort, body: standardBody(request), hasNotes: false }
}

function standardBody(request: Request): IncomingBody | undefined {
  const { body } = request
  if (body === null) return undefined
  return {
    isComplete: false,
    whole: async () => new Uint8Array(await request.arrayBuffer()),
    stream: () => body,
  }
}
