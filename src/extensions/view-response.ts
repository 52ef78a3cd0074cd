import { createAttachment } from '../formats/attachment.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { readStreamBytes, readStreamJson, readStreamText } from './read-stream.ts'
import type { ResponseView } from './response-view.ts'

const views = createAttachment<Response, ResponseView>('response view')

/**
 * The prototype of the response that an extension gets: a kind of `Response` that reads and copies nothing until it is asked. A real
 * `Response` would cost more than everything else about an extension that changes nothing.
 */
const VIEWED_RESPONSE: object = Object.create(Response.prototype, {
  ...getters({
    status: ({ answer }) => answer.status,
    statusText: ({ answer }) => answer.statusText,
    ok: ({ answer }) => answer.ok,
    type: ({ answer }) => answer.type,
    url: ({ answer }) => answer.url,
    redirected: ({ answer }) => answer.redirected,
    headers: ({ headers }) => headers,
    body: ({ plain }) => plain.body,
    bodyUsed: ({ isRead, plain }) => isRead && plain.bodyUsed,
  }),
  ...methods({
    arrayBuffer: async ({ plain }) => (await readStreamBytes(unread(plain))).buffer,
    blob: ({ plain }) => plain.blob(),
    bytes: async ({ plain }) => readStreamBytes(unread(plain)),
    formData: ({ plain }) => plain.formData(),
    json: async ({ plain }) => readStreamJson(unread(plain)),
    text: async ({ plain }) => readStreamText(unread(plain)),
    clone: (view) => view.copy(),
  }),
})

/**
 * Makes the response that an extension gets for an answer.
 *
 * @example
 * return viewResponse(new ResponseView(answer, clock))
 */
export function viewResponse(view: ResponseView): Response {
  const response: Response = Object.create(VIEWED_RESPONSE)
  views.set(response, view)
  return response
}

/** The view behind the response that an extension got; undefined: the response is another one. */
export function viewOf(response: Response): ResponseView | undefined {
  return views.get(response)
}

/** Whether the body of a response has been read, or is being read. */
export function isRead(response: Response): boolean {
  return viewOf(response)?.isRead ?? (response.bodyUsed || response.body?.locked === true)
}

/** Ends a response that nobody wants. */
export function dropResponse(response: Response): void {
  const view = viewOf(response)
  if (view !== undefined) view.drop()
  else if (!isRead(response)) void ignoreRejection(response.body?.cancel())
}

/** The body of a response. Throws a `TypeError` for one that has been read or is being read. */
function unread({ body, bodyUsed }: Response): ReadableStream<Uint8Array> | null {
  if (bodyUsed || body?.locked === true) throw new TypeError('the body of the response has been read')
  return body
}

function assertView(response: Response): ResponseView {
  const view = viewOf(response)
  if (view === undefined) throw new TypeError('this is no Response')
  return view
}

function getters(all: { readonly [name: string]: (view: ResponseView) => unknown }): PropertyDescriptorMap {
  const one = (give: (view: ResponseView) => unknown): PropertyDescriptor => ({
    get(this: Response) {
      return give(assertView(this))
    },
  })
  return Object.fromEntries(Object.entries(all).map(([name, give]) => [name, one(give)]))
}

function methods(all: { readonly [name: string]: (view: ResponseView) => unknown }): PropertyDescriptorMap {
  const one = (give: (view: ResponseView) => unknown): PropertyDescriptor => ({
    value(this: Response) {
      return give(assertView(this))
    },
  })
  return Object.fromEntries(Object.entries(all).map(([name, give]) => [name, one(give)]))
}
