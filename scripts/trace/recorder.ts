/**
 * Runs in the traced gateway before its first line (`bun --preload`): keeps the numbers of the functions that are entered, between
 * `/start` and `/stop` of a server on the socket that TRACE_SOCKET names.
 */
let trail: number[] | undefined

Object.assign(globalThis, {
  nexcodeEnter: (id: number): void => {
    trail?.push(id)
  },
})

Bun.serve({
  unix: process.env['TRACE_SOCKET'] ?? '',
  fetch(request) {
    const recorded = trail ?? []
    trail = request.url.endsWith('/start') ? [] : undefined
    return Response.json(recorded)
  },
})
