import type { SimulatedJson } from './call.ts'

/** What makes up an error answer: the four keys of OpenAI's `error` object are `message`, `type`, `param` and `code`. */
export interface SimulatedErrorParts {
  readonly status: number
  readonly message: string
  readonly type?: string
  readonly param?: string | null
  readonly code?: string | null
  readonly headers?: Readonly<Record<string, string>>
}

/** An error that the simulated OpenAI answers with. Thrown anywhere in `demo/`, rendered once, in `simulated-openai.ts`. */
export class SimulatedError extends Error {
  override readonly name = 'SimulatedError'
  readonly answer: SimulatedJson

  constructor({ status, message, type, param, code, headers }: SimulatedErrorParts) {
    super(message)
    const error = { message, type: type ?? 'invalid_request_error', param: param ?? null, code: code ?? null }
    this.answer = { kind: 'json', value: { error }, status, headers: headers ?? {} }
  }
}

/**
 * Thrown by the simulated OpenAI's `fetch` where a reset before the headers was asked for.
 *
 * There is no `Response` for a connection that is cut: whoever serves the simulation on a socket closes that socket
 * without an answer when it meets this error, and a test in process takes it for the failed connection itself.
 *
 * @example
 * await openai.fetch(request).catch((error) => {
 *   if (error instanceof SimulatedReset) socket.destroy()
 * })
 */
export class SimulatedReset extends Error {
  override readonly name = 'SimulatedReset'
  readonly code = 'ECONNRESET'

  constructor() {
    super('The simulated OpenAI was asked to cut the connection before its answer.')
  }
}
