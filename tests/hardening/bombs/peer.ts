/** A program of its own: an upstream that reads all that comes and keeps nothing, or a server that does nothing. Prints its port. */
const MANY_EVENTS = 100_000
const EVENT = 'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","model":"real","choices":[]}\n\n'
const ANSWER = { id: 'chatcmpl-1', object: 'chat.completion', model: 'real', choices: [] }

const listening = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 0,
  maxRequestBodySize: 2 ** 31,
  async fetch(request) {
    for await (const _ of request.body ?? []);
    if (request.headers.get('x-play') !== 'events') return Response.json(ANSWER)
    return new Response(`${EVENT.repeat(MANY_EVENTS)}data: [DONE]\n\n`, {
      headers: { 'content-type': 'text/event-stream' },
    })
  },
})
process.stdout.write(`${listening.port}\n`)

export {}
