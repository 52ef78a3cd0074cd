/** What the edge knows of a request that a standard `Request` can't hold. */
export interface Arrival {
  /** The request target exactly as it stood on the request line, before any URL parser touched it. */
  readonly target: string
}

const arrivals = new WeakMap<Request, Arrival>()

/**
 * Keeps what the edge knows beside its request.
 *
 * @example
 * noteArrival(request, { target: message.url })
 */
export function noteArrival(request: Request, arrival: Arrival): void {
  arrivals.set(request, arrival)
}

/** The raw request target; of a request that no edge brought, the one its URL has. */
export function targetOf(request: Request): string {
  const noted = arrivals.get(request)
  if (noted !== undefined) return noted.target
  const url = new URL(request.url)
  return url.pathname + url.search
}
