/** The parts that a streamed answer comes in. */
export const CHUNKS = 4

const ANSWER = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
})
const CHUNK = `data: ${JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }],
})}\n\n`

/** An upstream that answers at once; a stream's chunks come apart, so that each is read by itself. */
export function startUpstream(): Bun.Server<undefined> {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { stream } = (await request.json()) as { readonly stream?: boolean }
      if (stream !== true) return new Response(ANSWER, { headers: { 'content-type': 'application/json' } })
      return new Response(chunks(), { headers: { 'content-type': 'text/event-stream' } })
    },
  })
}

async function* chunks(): AsyncGenerator<string> {
  for (let count = 1; count < CHUNKS; count += 1) {
    yield CHUNK
    await Bun.sleep(30)
  }
  yield 'data: [DONE]\n\n'
}
