import { Elysia } from 'elysia'
import type { Authorize } from '../../access/authorize.ts'
import { noteBody } from '../../answers/body-note.ts'
import { createOpenApiDocument } from '../../openai/openapi-document.ts'
import { authMacro } from '../auth-macro.ts'
import { methodNotAllowed } from '../guard.ts'
import { renderDocsPage } from '../pages/docs-page.ts'
import { ICON, PAGE_HEADERS, renderHomeLine, renderHomePage, wantsPage } from '../pages/small-page.ts'
import { exchangeOf } from '../request-context.ts'

/** The facts of this server that the documentation names. */
export interface DocumentationDeps {
  readonly version: string
  readonly authorize: Authorize
  /** Whether clients call it over HTTPS. */
  readonly isTls: boolean
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
const JSON_TEXT = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' }
const ICON_HEADERS = { 'content-type': 'image/svg+xml', 'cache-control': 'public, max-age=86400' }

/** The path of the OpenAPI document. */
export const OPENAPI_PATH = '/openapi.json'

/**
 * Makes the routes of the documentation: `/` says what this is, `/docs` how to use it, `/openapi.json` the same for machines;
 * browsers ask for the icon by themselves.
 */
export const documentation = ({ version, authorize, isTls }: DocumentationDeps) => {
  // The base URL as the caller sees it: the guard has checked the Host.
  const baseUrlOf = ({ headers }: Request): string => `http${isTls ? 's' : ''}://${headers.get('host')}/v1`
  const documentFor = (baseUrl: string) => createOpenApiDocument({ version, serverUrl: baseUrl })
  const pageFor = rememberLast((baseUrl) => renderDocsPage({ document: documentFor(baseUrl), baseUrl }))
  const home = (request: Request): Response => {
    const vary = { vary: 'accept' }
    if (!wantsPage(request)) return answer(request, 'home', renderHomeLine(version), { ...TEXT, ...vary })
    const page = renderHomePage({ version, baseUrl: baseUrlOf(request) })
    return answer(request, 'home', page, { ...PAGE_HEADERS, ...vary })
  }
  return new Elysia({ name: 'nexcode/documentation', seed: version })
    .use(authMacro(authorize))
    .all('/', ({ request }) => home(request), { parse: 'none' })
    .all('/favicon.ico', ({ request }) => answer(request, 'favicon', ICON, ICON_HEADERS), { parse: 'none' })
    .all('/docs', ({ request }) => answer(request, 'docs', pageFor(baseUrlOf(request)), PAGE_HEADERS), {
      parse: 'none',
    })
    .all(
      OPENAPI_PATH,
      ({ request }) => answer(request, 'openapi', JSON.stringify(documentFor(baseUrlOf(request))), JSON_TEXT),
      { auth: true, parse: 'none' },
    )
}

/** Keeps the page of the last base URL: rendering takes milliseconds, and anyone may ask. */
function rememberLast(render: (key: string) => string): (key: string) => string {
  let last: { readonly key: string; readonly text: string } | undefined
  return (key) => {
    if (last?.key !== key) last = { key, text: render(key) }
    return last.text
  }
}

function answer(
  request: Request,
  endpointName: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Response {
  const exchange = exchangeOf(request)
  exchange.endpointName = endpointName
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw methodNotAllowed(request.method, exchange.requestTarget)
  const bytes = new TextEncoder().encode(body)
  // The log's line takes the length from this header.
  const all = { ...headers, 'content-length': String(bytes.byteLength) }
  return noteBody(new Response(bytes, { headers: all }), { whole: bytes })
}
