import type { Exchange } from '../exchange/exchange.ts'
import { isJsonType } from '../formats/http/media-types.ts'
import type { Json } from '../formats/json/json.ts'
import { writeEvent } from '../formats/sse/write-event.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Store } from '../storage/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { ChainRequest } from './chain-request.ts'
import type { CommentQueue } from './comment-queue.ts'
import { BrokenSource, EventReader } from './event-reader.ts'
import type {
  Context,
  EventsToSend,
  ExtensionLog,
  ExtensionPrincipal,
  ExtensionStore,
  LogLine,
  ServerSentEvent,
} from './extension.ts'
import { extensionError } from './extension-error.ts'
import { extensionStore } from './extension-store.ts'
import type { LoadedExtension } from './load/load-extensions.ts'
import { streamEvents } from './stream-events.ts'
import type { PausableClock } from './work-clock.ts'

/** The dependencies of a context. */
export interface ContextDeps {
  readonly log: Log
  readonly store: Store
}

/** The exchange that an extension has a part in, and its caller. */
export interface ContextFacts {
  readonly exchange: Pick<Exchange, 'id' | 'abort'>
  readonly principal: ExtensionPrincipal
}

/** The invocation that a context belongs to. */
export interface ContextParts {
  readonly loaded: LoadedExtension
  readonly request: ChainRequest
  readonly facts: ContextFacts
  readonly deps: ContextDeps
  readonly clock: PausableClock
  /** Posts JSON to a path of the API. */
  readonly post: (path: string, body: Json) => Promise<Response>
  /** Keeps the server up until work behind the answer has ended. */
  readonly waitUntil: (work: Promise<unknown>, log: ExtensionLog) => void
}

/** Content types that are not JSON, so that their bodies are not parsed. */
const NO_JSON = /^(?:multipart|audio|image|video)\/|^application\/octet-stream/i

/**
 * The context of one run of an extension. Each part is made at its first use. Each function works without its object, so that a
 * context may be taken apart.
 */
export class RunContext implements Context {
  readonly #parts: ContextParts
  /** The event readers of this context, each with its answer. */
  #readers: { readonly reader: EventReader; readonly of: Response }[] | undefined

  constructor(parts: ContextParts) {
    this.#parts = parts
  }

  get requestId(): string {
    return this.#parts.facts.exchange.id
  }

  get endpoint(): string {
    return this.#parts.request.endpoint
  }

  get principal(): ExtensionPrincipal {
    return this.#parts.facts.principal
  }

  get options(): unknown {
    return this.#parts.loaded.options
  }

  get signal(): AbortSignal {
    return this.#parts.facts.exchange.abort.signal
  }

  get log(): ExtensionLog {
    const { deps, loaded } = this.#parts
    return logWith(deps.log, { extension: loaded.name, request_id: this.requestId })
  }

  get store(): ExtensionStore {
    return extensionStore(this.#parts.deps.store, this.#parts.loaded.name)
  }

  get error(): Context['error'] {
    return extensionError
  }

  get body(): Context['body'] {
    return async <T>() => (await this.#body()) as T | undefined
  }

  get call(): Context['call'] {
    return (path, body) => this.#parts.post(path, body)
  }

  get events(): Context['events'] {
    return (response): AsyncIterable<ServerSentEvent> => {
      const reader = new EventReader(response.body)
      this.#readers ??= []
      this.#readers.push({ reader, of: response })
      return reader
    }
  }

  get stream(): Context['stream'] {
    return (events, init) =>
      streamEvents(events, init, {
        onFail: (cause) => this.#onStreamFail(cause),
        onCancel: () => {
          for (const { reader } of this.#readers ?? []) void reader.return()
        },
        comments: () => this.#commentsFor(events, init),
      })
  }

  get waitUntil(): Context['waitUntil'] {
    return (work) => this.#parts.waitUntil(Promise.resolve(work), this.log)
  }

  /** Finds the reader that a stream is made of: the one it was given, the one whose answer it takes its headers from, or the only one. */
  #commentsFor(events: EventsToSend, init: ResponseInit | Response | undefined): CommentQueue | undefined {
    const readers = this.#readers ?? []
    const source = readers.find(({ reader, of }) => reader === events || of === init)
    const comments = (source ?? (readers.length === 1 ? readers[0] : undefined))?.reader.comments
    return comments?.claim() === true ? comments : undefined
  }

  async #body(): Promise<unknown> {
    const { request, clock } = this.#parts
    const type = request.view.headers.get('content-type') ?? 'application/json'
    if (NO_JSON.test(type)) return undefined
    clock.pause()
    try {
      const json = await request.json()
      return json === undefined ? undefined : freezeJson(json.value)
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.kind === 'invalid_json' && !isJsonType(type)) return undefined
      throw thrown
    } finally {
      clock.resume()
    }
  }

  /** Makes the last bytes of a stream that has failed: the caller reads it already, so it can be told only by an error in the stream. */
  #onStreamFail(cause: unknown): Uint8Array | undefined {
    // The reader of a source that broke off has told the caller already.
    if (cause instanceof BrokenSource || this.signal.aborted) return undefined
    const { deps, loaded } = this.#parts
    const isOurs = cause instanceof ApiError
    const fields = { request_id: this.requestId, extension: loaded.name, file: loaded.file }
    if (!isOurs) deps.log.error({ ...fields, err: cause }, 'extension failed: its stream was broken off')
    const { body } = isOurs ? cause : new ApiError('extension_failed')
    return writeEvent({ data: JSON.stringify(body) })
  }
}

/** A log whose lines all carry the same fields. An extension's own fields can't take their place. */
function logWith(log: Log, fixed: { readonly [name: string]: unknown }): ExtensionLog {
  const line =
    (level: 'debug' | 'info' | 'warn' | 'error'): LogLine =>
    (first: unknown, message?: string) => {
      if (typeof first === 'string') log[level](fixed, first)
      else log[level]({ ...(first as object), ...fixed }, message ?? '')
    }
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

/** Freezes a value of JSON at every depth, without recursion. */
function freezeJson<T>(value: T): T {
  const waiting: unknown[] = [value]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null || Object.isFrozen(next)) continue
    Object.freeze(next)
    for (const inner of Object.values(next)) if (typeof inner === 'object' && inner !== null) waiting.push(inner)
  }
  return value
}
