import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { Json } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import type { ChainDeps, RunFacts } from './chain-deps.ts'
import type { ChainRequest } from './chain-request.ts'
import { type ContextParts, RunContext } from './context.ts'
import type { ExtensionLog } from './extension.ts'
import type { LoadedExtension } from './loaded-extension.ts'
import { dropResponse, isRead } from './viewed-response.ts'
import { WorkClock } from './work-clock.ts'

/** The run that a turn is a part of. */
export interface InvocationRun {
  readonly facts: RunFacts
  readonly deps: ChainDeps
  /** How much is being waited for that is nobody's work. */
  readonly pauseCount: number
  /** The source of an answer that was read here has broken off. */
  readonly isBroken: boolean
  /** Goes on with the extension at `index`, or behind the last one. */
  invoke(index: number, sending: ChainRequest): Promise<Response>
  /** Its clock is to stand still while something is waited for. */
  addClock(time: WorkClock): void
  post(path: string, body: Json): Promise<Response>
  waitUntil(work: Promise<unknown>, log: ExtensionLog): void
}

/** It took longer than it may. */
export class ExtensionTimeout extends Error {
  override readonly name = 'ExtensionTimeout'
}

/** One extension's part in one request: what it gives or throws, once, and what becomes of that. */
export class Invocation implements ContextParts {
  readonly loaded: LoadedExtension
  readonly request: ChainRequest
  readonly clock: WorkClock
  readonly #run: InvocationRun
  readonly #index: number
  #resolve: (response: Response | Promise<Response>) => void = () => undefined
  #reject: (cause: unknown) => void = () => undefined
  #hasEnded = false
  /** What the extension got of the latest `next`. */
  #passed: Promise<Response> | undefined

  constructor(run: InvocationRun, index: number, loaded: LoadedExtension, sending: ChainRequest) {
    this.#run = run
    this.#index = index
    this.loaded = loaded
    this.request = sending
    this.clock = new WorkClock(run.deps.deadlines, loaded.timeoutMs, run.pauseCount, () => this.#onExpire())
    run.addClock(this.clock)
  }

  get facts(): RunFacts {
    return this.#run.facts
  }

  get deps(): ChainDeps {
    return this.#run.deps
  }

  /** Has the extension answer. Rejects with what the caller is to get. */
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

  /** Posts JSON to a path of the API. */
  async post(path: string, body: Json): Promise<Response> {
    this.clock.pause()
    try {
      return await this.#run.post(path, body)
    } finally {
      this.clock.resume()
    }
  }

  /** Takes what goes on behind the answer. */
  waitUntil(work: Promise<unknown>, log: ExtensionLog): void {
    this.#run.waitUntil(work, log)
  }

  /** Where the request can't go on as it is, nothing has been passed. */
  #next(request: Request): Promise<Response> {
    if (this.#hasEnded) return Promise.reject(late())
    const sending = this.request.passedOn(request)
    if (!(sending instanceof Promise)) return this.#pass(sending)
    // To read a body that the extension has made is a part of its own work.
    const passing = sending.then((made) => (this.#hasEnded ? Promise.reject(late()) : this.#pass(made)))
    void ignoreRejection(passing)
    return passing
  }

  /** The request goes on. While others work, the extension's clock stands still. */
  #pass(sending: ChainRequest): Promise<Response> {
    this.clock.pause()
    this.#passed = this.#go(sending).then(
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

  #go(sending: ChainRequest): Promise<Response> {
    return this.#run.invoke(this.#index + 1, sending)
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
    // What fails because the caller has left, or because the upstream broke off, is no fault of the extension's.
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

  /** Where the request has gone on already, it must not go on twice. */
  async #withoutIt(failed: ApiError): Promise<Response> {
    if (this.#passed === undefined) return await this.#go(this.request.unchanged())
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
    // Whoever has not waited for it is not told of its failure.
    void ignoreRejection(this.#passed)
  }
}

function late(): TypeError {
  return new TypeError('next was called after the extension had ended')
}
