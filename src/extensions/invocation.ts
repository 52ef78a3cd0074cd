import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { Json } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { ChainRequest } from './chain-request.ts'
import { type ContextDeps, type ContextFacts, type ContextParts, RunContext } from './context.ts'
import type { ExtensionLog } from './extension.ts'
import type { LoadedExtension } from './load/load-extensions.ts'
import { dropResponse, isRead } from './view-response.ts'
import { WorkClock } from './work-clock.ts'

/** The dependencies of an invocation. */
export interface InvocationDeps extends ContextDeps {
  readonly deadlines: Deadlines
}

/** The run that an invocation is a part of. */
export interface InvocationRun {
  readonly facts: ContextFacts
  readonly deps: InvocationDeps
  /** How many pauses the run is in: waits during which no extension works. */
  readonly pauseCount: number
  /** Whether an answer broke off while it was read here. */
  readonly isBroken: boolean
  /** Invokes the extension at `index`, or forwards the request behind the last one. */
  invoke(index: number, request: ChainRequest): Promise<Response>
  /** Has the run pause and resume a clock with itself. */
  addClock(clock: WorkClock): void
  post(path: string, body: Json): Promise<Response>
  waitUntil(work: Promise<unknown>, log: ExtensionLog): void
}

/** An extension has worked longer than it may. */
export class ExtensionTimeout extends Error {
  override readonly name = 'ExtensionTimeout'
}

/** One call of one extension: its result, which comes once, and the handling of that result. */
export class Invocation implements ContextParts {
  readonly loaded: LoadedExtension
  readonly request: ChainRequest
  readonly clock: WorkClock
  readonly #run: InvocationRun
  readonly #index: number
  #resolve: (response: Response | Promise<Response>) => void = () => undefined
  #reject: (cause: unknown) => void = () => undefined
  #hasEnded = false
  /** The result of the latest call of `next`. */
  #passed: Promise<Response> | undefined

  constructor(run: InvocationRun, index: number, loaded: LoadedExtension, request: ChainRequest) {
    this.#run = run
    this.#index = index
    this.loaded = loaded
    this.request = request
    this.clock = new WorkClock(run.deps.deadlines, loaded.timeoutMs, run.pauseCount, () => this.#onExpire())
    run.addClock(this.clock)
  }

  get facts(): ContextFacts {
    return this.#run.facts
  }

  get deps(): InvocationDeps {
    return this.#run.deps
  }

  /** Calls the extension's `fetch`. Rejects with the error for the caller. */
  answer(): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      try {
        const { extension } = this.loaded
        const answer = extension.fetch(this.request.view, (request) => this.#next(request), new RunContext(this))
        if (answer instanceof Response) this.#onAnswer(answer)
        else
          Promise.resolve(answer).then(
            (response) => this.#onAnswer(response),
            (thrown: unknown) => this.#onThrown(thrown),
          )
      } catch (thrown) {
        this.#onThrown(thrown)
      }
    })
  }

  async post(path: string, body: Json): Promise<Response> {
    this.clock.pause()
    try {
      return await this.#run.post(path, body)
    } finally {
      this.clock.resume()
    }
  }

  waitUntil(work: Promise<unknown>, log: ExtensionLog): void {
    this.#run.waitUntil(work, log)
  }

  /** The `next` of the extension. Rejects where the request can't go on as it is; then nothing has been sent. */
  #next(request: Request): Promise<Response> {
    if (this.#hasEnded) return Promise.reject(late())
    const passedOn = this.request.passedOn(request)
    if (!(passedOn instanceof Promise)) return this.#pass(passedOn)
    // The clock runs on: the time to read a body that the extension has made is its own.
    const passing = passedOn.then((made) => (this.#hasEnded ? Promise.reject(late()) : this.#pass(made)))
    void ignoreRejection(passing)
    return passing
  }

  /** Passes a request on. The clock stands still while others work. */
  #pass(request: ChainRequest): Promise<Response> {
    this.clock.pause()
    this.#passed = this.#invokeNext(request).then(
      (response) => {
        this.clock.resume()
        return response
      },
      (cause: unknown) => {
        this.clock.resume()
        throw cause
      },
    )
    return this.#passed
  }

  #invokeNext(request: ChainRequest): Promise<Response> {
    return this.#run.invoke(this.#index + 1, request)
  }

  #onAnswer(answer: unknown): void {
    if (this.#hasEnded) return
    if (answer instanceof Response && answer.type === 'error') {
      this.#fail(new TypeError('fetch gave Response.error(), which no caller can be given'))
    } else if (!(answer instanceof Response)) {
      this.#fail(new TypeError(`fetch gave ${answer === undefined ? 'nothing' : typeof answer} in place of a Response`))
    } else if (isRead(answer)) {
      this.#fail(new TypeError('the body of the Response that fetch gave has been read: return a clone, or a new one'))
    } else {
      this.#end()
      this.#resolve(answer)
    }
  }

  #onThrown(thrown: unknown): void {
    if (this.#hasEnded) return
    const { signal } = this.#run.facts.exchange.abort
    // The extension is not to blame where the caller has left or the upstream broke off.
    if (signal.aborted) this.#refuse(signal.reason)
    else if (thrown instanceof ApiError) this.#refuse(thrown)
    else if (this.#run.isBroken) this.#refuse(new ApiError('upstream_unreachable', { cause: thrown }))
    else this.#fail(thrown)
  }

  #onExpire(): void {
    const { signal } = this.#run.facts.exchange.abort
    if (signal.aborted) this.#refuse(signal.reason)
    else this.#fail(new ExtensionTimeout(`no answer within ${this.loaded.timeoutMs} ms of its own work`))
  }

  #fail(cause: unknown): void {
    this.#end()
    const { name, file, onError } = this.loaded
    const { facts, deps } = this.#run
    const isSkipped = onError === 'skip'
    const what = cause instanceof ExtensionTimeout ? 'extension timed out' : 'extension failed'
    const outcome = isSkipped ? 'the request goes on without it' : 'the request was refused'
    const fields = { request_id: facts.exchange.id, extension: name, file, on_error: onError, err: cause }
    deps.log.error(fields, `${what}: ${outcome}`)
    const failed = new ApiError('extension_failed', { cause })
    if (isSkipped) this.#resolve(this.#withoutIt(failed))
    else this.#refuse(failed)
  }

  /** Answers without the extension. A request that it has passed on already is not sent a second time. */
  async #withoutIt(failed: ApiError): Promise<Response> {
    if (this.#passed === undefined) return await this.#invokeNext(this.request.unchanged())
    const answer = await this.#passed
    if (isRead(answer)) throw failed
    return answer
  }

  #refuse(cause: unknown): void {
    this.#end()
    this.#passed?.then(dropResponse, () => undefined)
    this.#reject(cause)
  }

  #end(): void {
    this.#hasEnded = true
    this.clock.clear()
    // An extension that has not awaited `next` is not told of its failure.
    void ignoreRejection(this.#passed)
  }
}

function late(): TypeError {
  return new TypeError('next was called after the extension had ended')
}
