const wholeBodies = new WeakMap<Response, Uint8Array<ArrayBuffer>>()

/**
 * Makes a response of a body that is there as bytes, and remembers them beside it, so that whoever writes it to a
 * socket need not read them out of a stream again.
 *
 * @example
 * return wholeResponse(bytes, { status: 200, headers })
 */
export function wholeResponse(body: Uint8Array<ArrayBuffer>, init: ResponseInit): Response {
  const response = new Response(body, init)
  wholeBodies.set(response, body)
  return response
}

/**
 * The body of a response of `wholeResponse`; undefined: read its stream.
 *
 * @example
 * const bytes = wholeBodyOf(response) ?? (await response.bytes())
 */
export function wholeBodyOf(response: Response): Uint8Array<ArrayBuffer> | undefined {
  return wholeBodies.get(response)
}
