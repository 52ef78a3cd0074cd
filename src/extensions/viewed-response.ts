import { createAttachment } from '../formats/attachment.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { readStreamBytes, readStreamJson, readStreamText } from './read-stream.ts'
import type { ResponseView } from './response-view.ts'

const shown = createAttachment<Response, ResponseView>('shown answer')

/**
 * What an extension is shown inherits from this: a kind of `Response` that reads nothing and copies nothing until it is asked.
 * A real one would cost more than all the rest of an extension that changes nothing.
 */
const SHOWN_RESPONSE: object = Object.create(Response.prototype, {
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
    clone: (answer) => answer.copy(),
  }),
})

/**
 * Shows an answer of ours to an extension.
 *
 * @example
 * return show(new ShownAnswer(answer, notes, waits))
 */
export function viewedResponse(answer: ResponseView): Response {
  const response: Response = Object.create(SHOWN_RESPONSE)
  shown.set(response, answer)
  return response
}

/** The answer behind what an extension was shown; undefined: the response is another one. */
export function viewOf(response: Response): ResponseView | undefined {
  return shown.get(response)
}

/** Whether the body of a response has been read, or is being read. */
export function isRead(response: Response): boolean {
  return viewOf(response)?.isRead ?? (response.bodyUsed || response.body?.locked === true)
}

/** Gives up a response that nobody wants. */
export function dropResponse(response: Response): void {
  const answer = viewOf(response)
  if (answer !== undefined) answer.drop()
  else if (!isRead(response)) void ignoreRejection(response.body?.cancel())
}

/** The body of a response. Throws a `TypeError` where it has been read, or is being read. */
function unread({ body, bodyUsed }: Response): ReadableStream<Uint8Array> | null {
  if (bodyUsed || body?.locked === true) throw new TypeError('the body of the response has been read')
  return body
}

function answerOf(response: Response): ResponseView {
  const answer = viewOf(response)
  if (answer === undefined) throw new TypeError('this is no Response')
  return answer
}

function getters(all: { readonly [name: string]: (answer: ResponseView) => unknown }): PropertyDescriptorMap {
  const one = (give: (answer: ResponseView) => unknown): PropertyDescriptor => ({
    get(this: Response) {
      return give(answerOf(this))
    },
  })
  return Object.fromEntries(Object.entries(all).map(([name, give]) => [name, one(give)]))
}

function methods(all: { readonly [name: string]: (answer: ResponseView) => unknown }): PropertyDescriptorMap {
  const one = (give: (answer: ResponseView) => unknown): PropertyDescriptor => ({
    value(this: Response) {
      return give(answerOf(this))
    },
  })
  return Object.fromEntries(Object.entries(all).map(([name, give]) => [name, one(give)]))
}
