import type { BodilessRequest } from '../exchange/arrival.ts'

/** Cross-origin rules for browsers (WHATWG Fetch §3.2); without configured origins they add nothing. */
export interface Cors {
  /** Answers the preflight of an allowed origin; undefined: the request is no such preflight. */
  readonly preflight: (request: BodilessRequest) => Response | undefined
  /** Adds the allowing headers to a response for an allowed origin. */
  readonly allow: (request: BodilessRequest, response: Response) => void
}

const MAX_AGE_SECONDS = 600

/**
 * Makes the cross-origin rules of a list of origins, or of `*`.
 *
 * @example
 * const cors = createCors(config.server.corsOrigins)
 */
export function createCors(origins: readonly string[]): Cors {
  const allowedOrigin = (request: BodilessRequest): string | undefined => {
    const origin = request.headers.get('origin')
    return origin !== null && (origins.includes('*') || origins.includes(origin)) ? origin : undefined
  }
  const allow: Cors['allow'] = (request, response) => {
    if (origins.length === 0) return
    // Also when the origin is not allowed: a cache must not give this answer to a page of an allowed one.
    response.headers.append('vary', 'Origin')
    const origin = allowedOrigin(request)
    if (origin === undefined) return
    response.headers.set('access-control-allow-origin', origin)
    // A browser's script sees only the headers that are named; for a request with credentials, `*` names none.
    response.headers.set('access-control-expose-headers', [...response.headers.keys()].join(', '))
  }
  return {
    allow,
    preflight(request) {
      if (request.method !== 'OPTIONS') return undefined
      const wanted = request.headers.get('access-control-request-method')
      if (wanted === null || allowedOrigin(request) === undefined) return undefined
      const response = new Response(null, {
        status: 204,
        headers: {
          'access-control-allow-methods': wanted,
          'access-control-allow-headers': request.headers.get('access-control-request-headers') ?? '*',
          'access-control-max-age': String(MAX_AGE_SECONDS),
        },
      })
      allow(request, response)
      return response
    },
  }
}
