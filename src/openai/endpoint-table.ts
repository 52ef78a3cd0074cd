/** The kinds of usage that OpenAI's usage API tells apart for calls of models (`/organization/usage/{kind}`). */
export type ModelUsage =
  | 'completions'
  | 'decisions'
  | 'embeddings'
  | 'moderations'
  | 'images'
  | 'audio_speeches'
  | 'audio_transcriptions'

/** What the table says of one or more endpoints. */
export type EndpointRow = EndpointPaths &
  (
    | {
        /** A call of a model, which is held, settled and booked. */
        readonly kind: 'call'
        readonly usage: ModelUsage
        /** The model that OpenAI takes where a call names none; absent: a call has to name one, or its server decides. */
        readonly defaultModel?: string
        /** Whether it writes nothing that is billed. */
        readonly isReadOnly?: true
        /** Whether Azure serves it below `/deployments/{deployment}`. */
        readonly isDeployed?: true
      }
    /** An object that was made before, whose answer tells what it has cost; `{id}` is its id. `batches`: many of them; `lines`: a file of answers. */
    | { readonly kind: 'batch' | 'response' | 'batches' | 'lines' }
    /** It costs nothing. `mayTell`: at some servers it is a call of a model, whose answer tells its usage. */
    | { readonly kind: 'free'; readonly mayTell?: true }
    /** What it costs can't be counted from its answer, and why. `isBookedLater`: it is told by the object that it makes. */
    | { readonly kind: 'closed'; readonly why: string; readonly isBookedLater?: true }
  )

/** The endpoints of a row. */
interface EndpointPaths {
  /** `any`: all methods. A GET stands for HEAD, too. */
  readonly method: 'GET' | 'POST' | 'DELETE' | 'any'
  /** Paths below `/v1/`: `{id}` is one segment, `{chatcmpl-…}` one that begins so, `**` at the end any number of them. */
  readonly paths: readonly string[]
}

const BATCH = 'the calls in a batch are made and billed behind its answer'
const JOB = 'a job is billed for the tokens that it trains on, which its answer does not tell'
const ACCOUNT = "it is about the server's own account"

/**
 * Which endpoint is what to limits and to the books: of OpenAI's API (its specification and its SDKs), and of the servers that take others
 * beside those. What is in no row nobody knows: it is closed to budgets, and booked for all others.
 */
export const ENDPOINT_TABLE: readonly EndpointRow[] = [
  {
    method: 'POST',
    paths: ['chat/completions', 'completions'],
    ...{ kind: 'call', usage: 'completions', isDeployed: true },
  },
  {
    method: 'POST',
    paths: ['responses', 'responses/compact', 'messages', 'edits', 'fim/completions', 'ocr'],
    ...{ kind: 'call', usage: 'completions' },
  },
  { method: 'POST', paths: ['embeddings'], kind: 'call', usage: 'embeddings', isReadOnly: true, isDeployed: true },
  {
    method: 'POST',
    paths: ['rerank', 'score', 'pooling', 'classify', 'classifications', 'chat/classifications'],
    ...{ kind: 'call', usage: 'completions', isReadOnly: true },
  },
  {
    method: 'POST',
    paths: ['moderations'],
    ...{ kind: 'call', usage: 'moderations', isReadOnly: true, defaultModel: 'omni-moderation-latest' },
  },
  { method: 'POST', paths: ['chat/moderations'], kind: 'call', usage: 'moderations', isReadOnly: true },
  { method: 'POST', paths: ['decisions'], kind: 'call', usage: 'decisions' },
  {
    method: 'POST',
    paths: ['images/generations', 'images/edits'],
    ...{ kind: 'call', usage: 'images', defaultModel: 'dall-e-2', isDeployed: true },
  },
  { method: 'POST', paths: ['images/variations'], kind: 'call', usage: 'images', defaultModel: 'dall-e-2' },
  { method: 'POST', paths: ['audio/speech'], kind: 'call', usage: 'audio_speeches', isDeployed: true },
  {
    method: 'POST',
    paths: ['audio/transcriptions', 'audio/translations'],
    ...{ kind: 'call', usage: 'audio_transcriptions', isDeployed: true },
  },
  { method: 'GET', paths: ['batches/{id}'], kind: 'batch' },
  { method: 'GET', paths: ['batches'], kind: 'batches' },
  { method: 'GET', paths: ['files/{id}/content', 'messages/batches/{id}/results'], kind: 'lines' },
  { method: 'POST', paths: ['batches/{id}/cancel'], kind: 'batch' },
  { method: 'GET', paths: ['responses/{id}'], kind: 'response' },
  { method: 'POST', paths: ['responses/{id}/cancel'], kind: 'response' },
  {
    method: 'GET',
    ...{
      kind: 'free',
      paths: ['models', 'models/**', 'engines', 'engines/{id}', 'files', 'files/{id}'],
    },
  },
  {
    method: 'GET',
    ...{
      kind: 'free',
      paths: [
        'chat/completions',
        'chat/completions/{id}',
        'chat/completions/{id}/messages',
        'responses/{id}/input_items',
        'uploads/{id}',
        'conversations/**',
      ],
    },
  },
  {
    method: 'POST',
    ...{
      kind: 'free',
      paths: [
        'responses/input_tokens',
        'messages/count_tokens',
        'tokenize',
        'detokenize',
        'chat/completions/{chatcmpl-…}',
      ],
    },
  },
  {
    method: 'POST',
    paths: ['files', 'uploads', 'uploads/{id}/parts', 'uploads/{id}/complete', 'uploads/{id}/cancel'],
    kind: 'free',
  },
  {
    method: 'POST',
    ...{ kind: 'free', mayTell: true, paths: ['conversations', 'conversations/{id}', 'conversations/{id}/items'] },
  },
  {
    method: 'DELETE',
    ...{
      kind: 'free',
      paths: [
        'models/**',
        'files/{id}',
        'chat/completions/{id}',
        'responses/{id}',
        'conversations/{id}',
        'conversations/{id}/items/{item}',
      ],
    },
  },
  { method: 'POST', paths: ['batches', 'messages/batches'], kind: 'closed', why: BATCH, isBookedLater: true },
  {
    method: 'POST',
    paths: ['batches/{id}/requests', 'batch/jobs'],
    ...{ kind: 'closed', why: BATCH },
  },
  { method: 'any', paths: ['messages/batches/**', 'batch/jobs/**'], kind: 'closed', why: BATCH },
  { method: 'any', paths: ['fine_tuning/**', 'fine-tunes/**'], kind: 'closed', why: JOB },
  { method: 'any', paths: ['vector_stores/**'], kind: 'closed', why: 'what is stored is billed by the day' },
  { method: 'any', paths: ['containers/**'], kind: 'closed', why: 'a container is billed for the time that it runs' },
  { method: 'any', paths: ['evals/**'], kind: 'closed', why: 'a run calls models behind its answer' },
  {
    method: 'any',
    paths: ['assistants/**'],
    kind: 'closed',
    why: 'its tools and files are billed apart from its runs',
  },
  { method: 'any', paths: ['threads/**'], kind: 'closed', why: 'a run goes on behind its answer' },
  { method: 'any', paths: ['chatkit/**'], kind: 'closed', why: 'a session calls models behind its answer' },
  { method: 'any', paths: ['agents/**'], kind: 'closed', why: 'an agent calls models behind its answer' },
  { method: 'any', paths: ['videos/**'], kind: 'closed', why: 'a video is made and billed behind its answer' },
  { method: 'any', paths: ['live/**'], kind: 'closed', why: 'what is said in a session does not pass by this server' },
  {
    method: 'any',
    paths: ['realtime'],
    kind: 'closed',
    why: 'what is said in a session that is no WebSocket does not pass by this server',
  },
  {
    method: 'any',
    paths: ['realtime/**'],
    ...{ kind: 'closed', why: 'a session that a client has with the upstream itself does not pass by this server' },
  },
  { method: 'any', paths: ['skills/**'], kind: 'closed', why: 'a skill runs behind its answer' },
  { method: 'any', paths: ['organization/**', 'projects/**'], kind: 'closed', why: ACCOUNT },
]
