import type { Json } from '../formats/json/json.ts'
import type { ChainDeps, Forward, ForwardedRequest, RunFacts } from './chain-deps.ts'
import { type ChainRequest, originalRequest } from './chain-request.ts'
import type { ExtensionLog } from './extension.ts'
import { wholeBody } from './gather-body.ts'
import { Invocation, type InvocationRun } from './invocation.ts'
import type { LoadedExtension } from './loaded-extension.ts'
import { ResponseView } from './response-view.ts'
import { dropResponse, viewedResponse, viewOf } from './viewed-response.ts'
import type { PausableClock, WorkClock } from './work-clock.ts'

/** What says how the caller's own body comes, and what names that request alone. */
const NOT_FOR_CALLS = [
  'content-encoding',
  'transfer-encoding',
  'accept-encoding',
  'idempotency-key',
  'x-nexcode-cache-key',
] as const

/** The extensions' way with one request. */
export class ChainRun implements InvocationRun, PausableClock {
  readonly facts: RunFacts
  readonly deps: ChainDeps
  readonly #extensions: readonly LoadedExtension[]
  readonly #last: Forward
  readonly #keep: InvocationRun['waitUntil']
  readonly #times: WorkClock[] = []
  readonly #answers: ResponseView[] = []
  #waiting = 0
  #isAborted = false

  constructor(
    extensions: readonly LoadedExtension[],
    facts: RunFacts,
    deps: ChainDeps,
    last: Forward,
    keep: InvocationRun['waitUntil'],
  ) {
    this.#extensions = extensions
    this.facts = facts
    this.deps = deps
    this.#last = last
    this.#keep = keep
  }

  get pauseCount(): number {
    return this.#waiting
  }

  get isBroken(): boolean {
    return this.#answers.some(({ isBroken }) => isBroken)
  }

  /** The answer for the caller. The exchange is over when its signal says so, whatever an extension still waits for. */
  answer(): Promise<Response> {
    const going = this.invoke(0, originalRequest({ facts: this.facts, deps: this.deps, waits: this }))
    const { signal } = this.facts.exchange.abort
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#isAborted = true
        this.#dropAll()
        going.then(dropResponse, () => undefined)
        reject(signal.reason)
      }
      if (signal.aborted) return onAbort()
      // It may be that of a connection, which outlives this exchange.
      signal.addEventListener('abort', onAbort, { once: true })
      going.then(
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
    const shown = viewOf(response)
    const isUntouched = shown?.isUntouched === true
    // What an extension has asked for and not given up must not be left waiting for a reader.
    if (this.#answers.length > (isUntouched ? 1 : 0)) this.facts.exchange.atEnd(() => this.#dropAll())
    return shown === undefined ? withoutLength(response) : shown.carry()
  }

  invoke(index: number, sending: ChainRequest): Promise<Response> {
    const loaded = this.#extensions[index]
    if (loaded !== undefined) return new Invocation(this, index, loaded, sending).answer()
    return this.#last(sending.forwarded()).then(this.#show)
  }

  addClock(time: WorkClock): void {
    this.#times.push(time)
  }

  pause(): void {
    this.#waiting += 1
    for (const time of this.#times) time.pause()
  }

  resume(): void {
    this.#waiting -= 1
    for (const time of this.#times) time.resume()
  }

  post(path: string, body: Json): Promise<Response> {
    return this.facts.call(this.#outgoingOf(path, body)).then(this.#show)
  }

  waitUntil(work: Promise<unknown>, log: ExtensionLog): void {
    this.#keep(work, log)
  }

  readonly #show = (answer: Response): Response => {
    const { answers } = this.deps
    if (!answers.hasBody(answer)) return answer
    const shown = new ResponseView(answer, answers, this)
    this.#answers.push(shown)
    if (this.#isAborted) shown.drop()
    return viewedResponse(shown)
  }

  #outgoingOf(path: string, json: Json): ForwardedRequest {
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
    for (const answer of this.#answers) answer.drop()
  }
}

/** What an extension has made may say another length than its body has: `fetch` gives a body decoded, with the length it came in. */
function withoutLength(response: Response): Response {
  if (response.body === null) return response
  response.headers.delete('content-length')
  if (response.url !== '') response.headers.delete('content-encoding')
  return response
}
