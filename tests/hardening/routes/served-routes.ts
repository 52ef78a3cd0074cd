import { RESOURCES } from '../../../src/openai/resources.ts'

/** A route of the server, as it is plainly spelled. */
export interface ServedRoute {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Open to all, and answered here. */
  readonly isOpen: boolean
  /** Whether the upstream answers it. */
  readonly isUpstreams: boolean
}

/** The pages that need no key; the upstream is never asked for them. */
export const OPEN_PATHS: ReadonlySet<string> = new Set([
  ...['/', '/docs', '/favicon.ico', '/health', '/healthz', '/livez', '/health/liveliness', '/health/liveness'],
  ...['/ready', '/readyz', '/health/readiness'],
])

/** Resources of the Administration API: the server's key is never spent on them. */
export const ADMINISTRATION: ReadonlySet<string> = new Set(['organization', 'projects'])

const BODIES = ['/chat/completions', '/completions', '/embeddings', '/responses']

/** Every route: the open pages, what is answered here for holders of a key, and all that goes upstream, with and without `/v1`. */
export const ROUTES: readonly ServedRoute[] = [
  ...[...OPEN_PATHS].map((path) => ({ method: 'GET', path, isOpen: true, isUpstreams: false }) as const),
  { method: 'GET', path: '/openapi.json', isOpen: false, isUpstreams: false },
  ...['', '/v1'].flatMap((prefix) => [
    ...BODIES.map((path) => ({ method: 'POST', path: prefix + path, isOpen: false, isUpstreams: true }) as const),
    ...[...RESOURCES].map(
      (name) =>
        ({ method: 'GET', path: `${prefix}/${name}`, isOpen: false, isUpstreams: !ADMINISTRATION.has(name) }) as const,
    ),
  ]),
  { method: 'GET', path: '/v1/never/heard/of', isOpen: false, isUpstreams: true },
]
