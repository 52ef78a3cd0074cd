import { bodyNoteOf } from '../answers/body-note.ts'
import type { ReadLimits } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Json } from '../formats/json/json.ts'
import { type ChainRequest, type Forward, type ForwardedRequest, originalRequest } from './chain-request.ts'
import type { ExtensionPrincipal } from './extension.ts'
import { wholeBody } from './gather-body.ts'
import { Invocation, type InvocationDeps, type InvocationRun } from './invocation.ts'
import type { LoadedExtension } from './load/load-extensions.ts'
import { ResponseView } from './response-view.ts'
import { dropResponse, viewOf, viewResponse } from './view-response.ts'
import type { PausableClock, WorkClock } from './work-clock.ts'

/** The dependencies of a run. */
export interface RunDeps extends InvocationDeps {
  /** How much of a body is held. A longer one that an extension has made goes on as it comes. */
  readonly limits: ReadLimits
}

/** One request, as the extensions see it. */
export interface RunFacts {
  readonly exchange: Pick<Exchange, 'id' | 'request' | 'requestTarget' | 'body' | 'abort' | 'atEnd' | 'outcome'>
  /** The request target without a token of this server's. */
  readonly shownTarget: string
  readonly principal: ExtensionPrincipal
  /** Answers a call of `context.call`: a request of its own below the extensions, with the caller's principal. */
  readonly call: Forward
}

/** Headers that a call of `context.call` does not copy: they describe the caller's body, or name the caller's request alone. */
const NOT_FOR_CALLS = [
  'content-encoding',
  'transfer-encoding',
  'accept-encoding',
  'idempotency-key',
  'x-nexcode-cache-key',
] as const

/** How long an answer that comes behind the caller's waits for somebody who reads it. */
const UNREAD_MS = 10_000

/** One request's way through the chain. */
export class ChainRun implements InvocationRun, PausableClock {
  readonly facts: RunFacts
  readonly deps: RunDeps
  readonly waitUntil: InvocationRun['waitUntil']
  readonly #extensions: readonly LoadedExtension[]
  readonly #forward: Forward
  readonly #clocks: WorkClock[] = []
  /** The answers that extensions have got. */
  readonly #views: ResponseView[] = []
  #pauseCount = 0
  #isAborted = false
  /** Whether the caller has its answer, so that others come for work that goes on behind it, or for nobody. */
  #isOver = false

  constructor(
    extensions: readonly LoadedExtension[],
    facts: RunFacts,
    deps: RunDeps,
    forward: Forward,
    waitUntil: InvocationRun['waitUntil'],
  ) {
    this.#extensions = extensions
    this.facts = facts
    this.deps = deps
    this.#forward = forward
    this.waitUntil = waitUntil
  }

  get pauseCount(): number {
    return this.#pauseCount
  }

  get isBroken(): boolean {
    return this.#views.some(({ isBroken }) => isBroken)
  }

  /** Runs the chain. When the exchange's signal aborts, the run is over at once, even while an extension awaits something. */
  answer(): Promise<Response> {
    const { exchange, shownTarget } = this.facts
    const { limits } = this.deps
    const answering = this.invoke(0, originalRequest({ exchange, shownTarget, limits, clock: this }))
    const { signal } = exchange.abort
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#isAborted = true
        this.#dropAll()
        answering.then(dropResponse, () => undefined)
        reject(signal.reason)
      }
      if (signal.aborted) return onAbort()
      // The listener is removed, because the signal may be that of a connection, which outlives this exchange.
      signal.addEventListener('abort', onAbort, { once: true })
      answering.then(
        (response) => {
          signal.removeEventListener('abort', onAbort)
          resolve(this.#isAborted ? response : this.#handOver(response))
        },
        (cause: unknown) => {
          signal.removeEventListener('abort', onAbort)
          this.#dropAll()
          reject(cause)
        },
      )
    })
  }

  #handOver(response: Response): Response {
    this.#isOver = true
    const view = viewOf(response)
    const isUntouched = view?.isUntouched === true
    // Answers that an extension has asked for and not ended must not wait for a reader for ever.
    if (this.#views.length > (isUntouched ? 1 : 0)) this.facts.exchange.atEnd(() => this.#dropAll())
    return view === undefined ? withoutLength(response) : view.carry()
  }

  invoke(index: number, request: ChainRequest): Promise<Response> {
    const loaded = this.#extensions[index]
    if (loaded !== undefined) return new Invocation(this, index, loaded, request).answer()
    return this.#forward(request.forwarded()).then(this.#view)
  }

  addClock(clock: WorkClock): void {
    this.#clocks.push(clock)
  }

  pause(): void {
    this.#pauseCount += 1
    for (const clock of this.#clocks) clock.pause()
  }

  resume(): void {
    this.#pauseCount -= 1
    for (const clock of this.#clocks) clock.resume()
  }

  post(path: string, body: Json): Promise<Response> {
    return this.facts.call(this.#callTo(path, body)).then(this.#view)
  }

  readonly #view = (answer: Response): Response => {
    if (answer.body === null && bodyNoteOf(answer) === undefined) return answer
    const view = new ResponseView(answer, this)
    this.#views.push(view)
    if (this.#isAborted) view.drop()
    else if (this.#isOver) this.#dropInTime(view)
    return viewResponse(view)
  }

  /** Ends an answer that nobody reads: its call would be under way, and held in its caller's budget, for ever. */
  #dropInTime(view: ResponseView): void {
    const { exchange } = this.facts
    const watch = (): void => {
      this.deps.deadlines.start(UNREAD_MS, () => {
        if (!view.isRead) view.drop()
      })
    }
    if (exchange.outcome === undefined) exchange.atEnd(watch)
    else watch()
  }

  #callTo(path: string, json: Json): ForwardedRequest {
    const { request } = this.facts.exchange
    const bytes = new TextEncoder().encode(JSON.stringify(json))
    const headers = new Headers(request.headers)
    for (const name of NOT_FOR_CALLS) headers.delete(name)
    headers.set('content-type', 'application/json')
    headers.set('accept', 'application/json')
    headers.set('content-length', String(bytes.byteLength))
    const { href, pathname, search } = new URL(`${new URL(request.url).origin}/v1/${path.replace(/^\/?(?:v1\/)?/, '')}`)
    const posted = new Request(href, { method: 'POST', headers })
    const target = pathname + search
    return { request: posted, target, body: wholeBody(bytes), isOriginal: false, json: undefined }
  }

  #dropAll(): void {
    for (const view of this.#views) view.drop()
  }
}

/** Removes a length that may be wrong: `fetch` decodes a body and leaves the headers that it came with. */
function withoutLength(response: Response): Response {
  if (response.body === null) return response
  response.headers.delete('content-length')
  if (response.url !== '') response.headers.delete('content-encoding')
  return response
}
