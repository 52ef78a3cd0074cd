import { formatOf } from '../formats/bytes/content-coding.ts'
import { CREDENTIAL_HEADERS, removeCredentials } from '../formats/http/credential-headers.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { BodyMemory } from './body-memory.ts'
import type { ChainDeps, ForwardedRequest, RunFacts } from './chain-deps.ts'
import { gatherBody } from './gather-body.ts'
import { type GivenBody, givenStream } from './given-stream.ts'
import { readInSlices } from './read-stream.ts'
import { ReplayableBody } from './replayable-body.ts'
import { haveChanged, watchHeaders } from './watched-headers.ts'
import type { PausableClock } from './work-clock.ts'

/** What says how the body came. */
const BODY_HEADERS = ['content-length', 'transfer-encoding', 'content-encoding'] as const

/** A body of no more bytes is copied for an extension, whether it reads it or not. */
const SHORT_BYTES_MAX = 16 * 1024

/** What a request is made of, on its way through the extensions. */
interface Parts {
  /** Its method, URL and headers. */
  readonly head: Request
  readonly target: string
  readonly body: ReplayableBody | undefined
  readonly isOriginal: boolean
}

/** What is shared by all requests of one run. */
interface Shared {
  readonly facts: RunFacts
  readonly deps: ChainDeps
  readonly waits: PausableClock
  readonly keeping: BodyMemory
}

/** A request between two extensions; a class, because there is one for nearly every request. */
export class ChainRequest {
  readonly #parts: Parts
  readonly #shared: Shared
  #given: Request | undefined
  #json: JsonBody | Promise<JsonBody> | undefined

  constructor(parts: Parts, shared: Shared) {
    this.#parts = parts
    this.#shared = shared
  }

  get endpoint(): string {
    return this.#shared.deps.endpointOf(this.#parts.target)
  }

  /** What an extension is given: plain, without the caller's credentials. Its body is read when somebody asks for it. */
  get view(): Request {
    this.#given ??= this.#make()
    return this.#given
  }

  /** The body parsed; once, whoever asks, until it goes on. */
  json(): JsonBody | Promise<JsonBody> | undefined {
    const { head, body } = this.#parts
    if (body === undefined || this.#json !== undefined) return this.#json
    const { deps, facts } = this.#shared
    const atEnd = facts.exchange.atEnd.bind(facts.exchange)
    const read = deps.readJson({ request: head, body, atEnd })
    const note = (json: JsonBody): JsonBody => {
      body.setWhole(json.encoded ?? json.bytes)
      this.#json = json
      return json
    }
    this.#json = read instanceof Promise ? read.then(note) : note(read)
    return this.#json
  }

  /** The request that an extension has passed on: this one, this one with other headers, or another. */
  passedOn(request: Request): ChainRequest | Promise<ChainRequest> {
    if (request !== this.#given) return this.#replaced(request)
    return haveChanged(request.headers) ? this.#edited(request) : this
  }

  /** As it was given, whatever an extension has done to it. */
  unchanged(): ChainRequest {
    return new ChainRequest(this.#parts, this.#shared)
  }

  /** What stands behind the extensions is told, and lets the parsed body go when it needs that no more: whoever asks again has it parsed anew. */
  forwarded(): ForwardedRequest {
    const { head, target, body, isOriginal } = this.#parts
    const json = this.#json instanceof Promise ? undefined : this.#json
    if (json !== undefined) this.#json = undefined
    return { request: head, target, body, isOriginal, json }
  }

  #make(): Request {
    const { head, target, body, isOriginal } = this.#parts
    const { facts, deps, waits } = this.#shared
    const { exchange, shownTarget } = facts
    const init: RequestInit & GivenBody = { signal: exchange.abort.signal }
    let isEncoded = false
    if (body !== undefined && head.method !== 'GET' && head.method !== 'HEAD') {
      const format = formatOf(head.headers.get('content-encoding'))
      isEncoded = format !== undefined
      init.body = shortBody(body, format) ?? givenStream(body, format, deps.bodyBytesMax, waits)
      if (init.body instanceof ReadableStream) init.duplex = 'half'
    }
    // A token of this server's in the query is no extension's business.
    const isHidden = isOriginal && target !== shownTarget
    const from = isHidden ? new Request(new URL(head.url).origin + shownTarget, bodiless(head)) : head
    const request = new Request(from, init)
    const { headers } = request
    // They go on as they came.
    removeCredentials(headers)
    if (isEncoded) for (const name of BODY_HEADERS) headers.delete(name)
    watchHeaders(headers)
    return init.body instanceof ReadableStream ? readInSlices(request) : request
  }

  #edited(request: Request): ChainRequest {
    const headers = new Headers(request.headers)
    this.#putBack(headers, CREDENTIAL_HEADERS)
    this.#putBack(headers, BODY_HEADERS)
    const { head, target, body } = this.#parts
    const edited = new Request(head.url, { method: head.method, headers })
    return new ChainRequest({ head: edited, target, body, isOriginal: false }, this.#shared)
  }

  async #replaced(request: Request): Promise<ChainRequest> {
    if (!(request instanceof Request)) throw new TypeError('next takes a Request')
    if (request.bodyUsed) throw new TypeError('the body of the request for next has been read')
    const { deps, keeping } = this.#shared
    const { bodyBytesMax } = deps
    const headers = new Headers(request.headers)
    this.#putBack(headers, CREDENTIAL_HEADERS)
    for (const name of BODY_HEADERS) headers.delete(name)
    const body = request.body === null ? undefined : await gatherBody(request.body, bodyBytesMax, keeping)
    if (body !== undefined && 'bytes' in body) headers.set('content-length', String(body.bytes.byteLength))
    const head = new Request(request.url, { method: request.method, headers })
    const shared = body && new ReplayableBody(body, headers, bodyBytesMax, keeping)
    const target = this.#targetOf(request.url)
    return new ChainRequest({ head, target, body: shared, isOriginal: false }, this.#shared)
  }

  /** Exactly as it came, where it is the same; else as the URL's parser writes it. */
  #targetOf(url: string): string {
    if (url === this.view.url) return this.#parts.target
    const { pathname, search } = new URL(url)
    return pathname + search
  }

  /** Where an extension has set one of them, the caller's own counts. */
  #putBack(headers: Headers, names: readonly string[]): void {
    for (const name of names) {
      const value = this.#parts.head.headers.get(name)
      if (value === null) headers.delete(name)
      else headers.set(name, value)
    }
  }
}

/** A request with a body of its own would give it away. */
function bodiless({ method, headers }: Request): RequestInit {
  return { method, headers }
}

/** What has come and is short costs less as bytes, which are copied, than as a stream. */
function shortBody(body: ReplayableBody, format: string | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (format !== undefined || !body.isComplete) return undefined
  const whole = body.whole()
  return whole instanceof Uint8Array && whole.byteLength <= SHORT_BYTES_MAX ? whole : undefined
}

/** The request as the caller sent it. */
export function originalRequest(run: Omit<Shared, 'keeping'>): ChainRequest {
  const { facts, deps } = run
  const { request, requestTarget: target, body } = facts.exchange
  const keeping = new BodyMemory(facts.exchange, deps)
  const own = body && new ReplayableBody(body, request.headers, deps.bodyBytesMax, keeping)
  return new ChainRequest({ head: request, target, body: own, isOriginal: true }, { ...run, keeping })
}
