import type { Json } from '../formats/json/json.ts'
import { isJsonType } from '../formats/json/json-type.ts'
import { ApiError } from '../openai/api-error.ts'
import type { ChainDeps, RunFacts } from './chain-deps.ts'
import type { ChainRequest } from './chain-request.ts'
import type { CommentQueue } from './comment-queue.ts'
import { BrokenSource, EventReader, streamEvents } from './events.ts'
import type {
  Context,
  EventsToSend,
  ExtensionLog,
  ExtensionPrincipal,
  ExtensionStore,
  ServerSentEvent,
} from './extension.ts'
import { extensionError } from './extension-error.ts'
import { extensionLog } from './extension-log.ts'
import { extensionStore } from './extension-store.ts'
import { freezeJson } from './freeze-json.ts'
import type { LoadedExtension } from './loaded-extension.ts'
import type { PausableClock } from './work-clock.ts'

/** What a context is of. */
export interface ContextParts {
  readonly loaded: LoadedExtension
  readonly request: ChainRequest
  readonly facts: RunFacts
  readonly deps: ChainDeps
  readonly clock: PausableClock
  /** Posts JSON to a path of the API. */
  readonly post: (path: string, body: Json) => Promise<Response>
  /** Takes what goes on behind the answer. */
  readonly waitUntil: (work: Promise<unknown>, log: ExtensionLog) => void
}

/** Bodies that are no JSON, and are not tried. */
const NO_JSON = /^(?:multipart|audio|image|video)\/|^application\/octet-stream/i

/**
 * What an extension is told of a request. Nothing is made before it is asked for, and what is a function stands alone, so that
 * a context may be taken apart.
 */
export class RunContext implements Context {
  readonly #parts: ContextParts
  /** Whoever reads the events of an answer, with that answer. */
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
    return extensionLog(deps.log, { extension: loaded.name, request_id: this.requestId })
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
        comments: () => this.#asidesFor(events, init),
      })
  }

  get waitUntil(): Context['waitUntil'] {
    return (work) => this.#parts.waitUntil(Promise.resolve(work), this.log)
  }

  /** What stands between the events that a stream is made of: its own, those of the answer whose headers it has, or the only ones. */
  #asidesFor(events: EventsToSend, init: ResponseInit | Response | undefined): CommentQueue | undefined {
    const readers = this.#readers ?? []
    const source = readers.find(({ reader, of }) => reader === events || of === init)
    const asides = (source ?? (readers.length === 1 ? readers[0] : undefined))?.reader.comments
    return asides?.claim() === true ? asides : undefined
  }

  async #body(): Promise<unknown> {
    const { request: sending, clock: waits } = this.#parts
    const type = sending.view.headers.get('content-type') ?? 'application/json'
    if (NO_JSON.test(type)) return undefined
    waits.pause()
    try {
      const json = await sending.json()
      return json === undefined ? undefined : freezeJson(json.value)
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.kind === 'invalid_json' && !isJsonType(type)) return undefined
      throw thrown
    } finally {
      waits.resume()
    }
  }

  /** The caller has begun to read: an error in the stream is all that is left to tell it. */
  #onStreamFail(cause: unknown): Uint8Array | undefined {
    // It has been told by whoever read that source.
    if (cause instanceof BrokenSource || this.signal.aborted) return undefined
    const { deps, loaded } = this.#parts
    const isOurs = cause instanceof ApiError
    const fields = { request_id: this.requestId, extension: loaded.name, file: loaded.file }
    if (!isOurs) deps.log.error({ ...fields, err: cause }, 'extension failed: its stream was broken off')
    const { body } = isOurs ? cause : new ApiError('extension_failed')
    return new TextEncoder().encode(`data: ${JSON.stringify(body)}\n\n`)
  }
}
