/** Cross-origin rules for browsers (WHATWG Fetch §3.2); without configured origins nothing is added. */
export interface Cors {
  /** Answers a preflight of an allowed origin; undefined: it is none. */
  readonly preflight: (request: Request) => Response | undefined
  /** Adds the allowing headers to a response for an allowed origin. */
  readonly allow: (request: Request, response: Response) => void
}

const MAX_AGE_SECONDS = 600

/**
 * Makes the cross-origin rules of a list of origins, or of `*`.
 *
 * @example
 * const cors = createCors(config.server.corsOrigins)
 */
export function createCors(origins: readonly string[]): Cors {
  const allowedOrigin = (request: Request): string | undefined => {
    const origin = request.headers.get('origin')
    return origin !== null && (origins.includes('*') || origins.includes(origin)) ? origin : undefined
  }
  const allow: Cors['allow'] = (request, response) => {
    if (origins.length === 0) return
    // Also where nothing is allowed: a cache must not show this answer to a page that is.
    response.headers.append('vary', 'Origin')
    const origin = allowedOrigin(request)
    if (origin === undefined) return
    response.headers.set('access-control-allow-origin', origin)
    // A browser's script sees no header that is not named; with a credential, `*` would not name them.
    response.headers.set('access-control-expose-headers', [...response.headers.keys()].join(', '))
  }
  return {
    allow,
    preflight(request) {
      const wanted = request.headers.get('access-control-request-method')
      if (request.method !== 'OPTIONS' || wanted === null || allowedOrigin(request) === undefined) return undefined
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
