/** Why the cost of a kind of call can't be counted from its answer. */
type Reason = string

/** The paths below `/v1/` whose cost this server can't count, each with the reason; a path includes those below it. */
const UNMETERED: readonly (readonly [path: RegExp, why: Reason])[] = [
  [/^fine_tuning(?:\/|$)/, 'a job is billed for the tokens that it trains on, which its answer does not tell'],
  [/^fine-tunes(?:\/|$)/, 'a job is billed for the tokens that it trains on, which its answer does not tell'],
  [/^vector_stores(?:\/|$)/, 'what is stored is billed by the day'],
  [/^containers(?:\/|$)/, 'a container is billed for the time that it runs'],
  [/^evals(?:\/|$)/, 'a run calls models behind its answer'],
  [/^assistants(?:\/|$)/, 'its tools and files are billed apart from its runs'],
  [/^threads(?:\/|$)/, 'a run goes on behind its answer'],
  [/^chatkit(?:\/|$)/, 'a session calls models behind its answer'],
  [/^agents(?:\/|$)/, 'an agent calls models behind its answer'],
  [/^videos(?:\/|$)/, 'a video is made and billed behind its answer'],
  [/^live(?:\/|$)/, 'what is said in a session does not pass by this server'],
  [/^realtime$/, 'nothing can be held on a WebSocket before a response begins'],
  [/^realtime\/./, 'a session that a client has with the upstream itself does not pass by this server'],
  [/^skills(?:\/|$)/, 'a skill runs behind its answer'],
  [/^organization(?:\/|$)/, "it is about the server's own account"],
  [/^projects(?:\/|$)/, "it is about the server's own account"],
]

/** The paths below `/v1/` whose cost is told by their answers, or that cost nothing. */
const METERED: readonly RegExp[] = [
  /^(?:chat\/)?completions(?:\/|$)/,
  /^responses(?:\/|$)/,
  /^conversations(?:\/|$)/,
  /^embeddings$/,
  /^moderations$/,
  /^images\/(?:generations|edits|variations)$/,
  /^audio\/(?:speech|transcriptions|translations)$/,
  /^messages(?:\/count_tokens)?$/,
  /^(?:models|engines)(?:\/|$)/,
  /^(?:files|uploads)(?:\/|$)/,
  /^batches(?:\/|$)/,
  /^(?:rerank|ocr|fim\/completions|classifications)$/,
]

/** What makes a batch, whose calls are made and billed behind its answer. */
const MAKES_BATCH = /^batches(?:\/[^/]+\/requests)?$/

/**
 * Why a key with a spend limit can't use an endpoint unless its `endpoints` name it; undefined: it can. `path` is what `endpointPath` gives.
 *
 * @example
 * whyUnmetered('POST', 'fine_tuning/jobs') // 'a job is billed for …'
 */
export function whyUnmetered(method: string, path: string): string | undefined {
  if (method === 'POST' && MAKES_BATCH.test(path)) return 'the calls in a batch are made and billed behind its answer'
  const known = UNMETERED.find(([pattern]) => pattern.test(path))
  if (known !== undefined) return known[1]
  return METERED.some((pattern) => pattern.test(path)) ? undefined : 'this server does not know what it costs'
}
