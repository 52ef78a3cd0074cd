import type { Script } from './scripted-upstream.ts'
import { SSE } from './upstream-scripts.ts'

/** A prompt of some 20,000 bytes, which is 5,000 tokens as it is estimated. */
export const LONG_PROMPT = { messages: [{ role: 'user', content: 'word '.repeat(4000) }] } as const
/** What that costs at gpt-4o, in nano-dollars. */
export const OF_PROMPT = 12_500_000
/** What the words of `beginStream` cost there: 400 bytes of output. */
export const OF_WORDS = 1_000_000

/** One chunk of a stream of chat completions. */
export function chunkOf(content: string): string {
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'gpt-4o', choices: [{ index: 0, delta: { content } }] })}\n\n`
}

/** The last chunks of a stream that has used so many tokens. */
export function endOf(read: number, written: number): string {
  const usage = { prompt_tokens: read, completion_tokens: written, total_tokens: read + written }
  return `data: ${JSON.stringify({ id: 'c', model: 'gpt-4o', choices: [], usage })}\n\ndata: [DONE]\n\n`
}

/** Begins a stream with some words, and goes on by hand. */
export const beginStream: Script = async (request, connection) => {
  await request.body
  connection.startChunked(200, SSE)
  connection.chunk(chunkOf('word '.repeat(80)))
}
