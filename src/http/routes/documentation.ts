import { Elysia } from 'elysia'
import type { Authorize } from '../../auth/authorize.ts'
import { createOpenApiDocument } from '../../openai/openapi-document.ts'
import { access } from '../access.ts'
import { renderDocsPage } from '../docs/docs-page.ts'
import { renderHomeLine } from '../docs/home-line.ts'
import { methodNotAllowed } from '../guard.ts'
import { exchangeOf } from '../request-context.ts'

/** What the documentation says of this server. */
export interface DocumentationDeps {
  readonly version: string
  readonly authorize: Authorize
  /** Whether it is called over HTTPS. */
  readonly isTls: boolean
}

/** No script, no image, no font, no frame: the page is complete in itself. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** `/` says what this is, `/docs` how to use it, `/openapi.json` the same for machines. */
export const documentation = ({ version, authorize, isTls }: DocumentationDeps) => {
  // As the caller sees it: the Host has passed the guard.
  const baseUrlOf = ({ headers }: Request): string => `http${isTls ? 's' : ''}://${headers.get('host')}/v1`
  const documentFor = (baseUrl: string) => createOpenApiDocument({ version, serverUrl: baseUrl })
  const pageFor = rememberLast((baseUrl) => renderDocsPage({ document: documentFor(baseUrl), baseUrl }))
  return new Elysia({ name: 'nexcode/documentation', seed: version })
    .use(access(authorize))
    .all('/', ({ request }) => text(request, 'home', renderHomeLine(version), 'text/plain; charset=utf-8'), {
      parse: 'none',
    })
    .all(
      '/docs',
      ({ request }) => {
        const response = text(request, 'docs', pageFor(baseUrlOf(request)), 'text/html; charset=utf-8')
        response.headers.set('content-security-policy', PAGE_POLICY)
        return response
      },
      { parse: 'none' },
    )
    .all(
      '/openapi.json',
      ({ request }) => text(request, 'openapi', JSON.stringify(documentFor(baseUrlOf(request))), 'application/json'),
      { auth: true, parse: 'none' },
    )
}

/** Rendering takes milliseconds, and anyone may ask: the page of the last base URL is kept. */
function rememberLast(render: (key: string) => string): (key: string) => string {
  let last: { readonly key: string; readonly text: string } | undefined
  return (key) => {
    if (last?.key !== key) last = { key, text: render(key) }
    return last.text
  }
}

function text(request: Request, route: string, body: string, contentType: string): Response {
  const exchange = exchangeOf(request)
  exchange.route = route
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed(request.method, exchange.target)
  const headers = { 'content-type': contentType, 'x-content-type-options': 'nosniff' }
  return new Response(body, { headers })
}
