/**
 * The paths of OpenAI's API, and of Anthropic's messages, by their first segment, from their specifications and client libraries; `.` is that segment alone, `*`
 * stands for an id, or for all paths of a resource that rules are not written for.
 */
const BY_RESOURCE = `
  agents: . *
  assistants: . *
  audio: speech transcriptions translations voice_consents voice_consents/* voices
  batches: . * */cancel
  chat: completions completions/* completions/*/messages
  chatkit: sessions sessions/*/cancel threads threads/* threads/*/items
  completions: .
  containers: . * */files */files/* */files/*/content
  content_provenance_checks: .
  conversations: . * */items */items/*
  decisions: .
  edits: .
  embeddings: .
  engines: . *
  evals: . * */runs */runs/* */runs/*/output_items */runs/*/output_items/*
  files: . * */content
  fine_tuning: alpha/graders/run alpha/graders/validate checkpoints/*/permissions checkpoints/*/permissions/* jobs jobs/* jobs/*/cancel jobs/*/checkpoints jobs/*/events jobs/*/pause jobs/*/resume
  images: edits generations variations
  live: . *
  messages: . batches batches/* batches/*/cancel batches/*/results count_tokens
  models: . *
  moderations: .
  organization: *
  projects: *
  realtime: . calls calls/*/accept calls/*/hangup calls/*/refer calls/*/reject client_secrets sessions transcription_sessions translations/client_secrets
  responses: . * */cancel */input_items compact input_tokens
  safety: *
  skills: . * */content */versions */versions/* */versions/*/content
  threads: . * */messages */messages/* */runs */runs/* */runs/*/cancel */runs/*/steps */runs/*/steps/* */runs/*/submit_tool_outputs runs
  uploads: . */cancel */complete */parts
  vaults: . *
  vector_stores: . * */file_batches */file_batches/* */file_batches/*/cancel */file_batches/*/files */files */files/* */files/*/content */search
  videos: . * */content */remix characters characters/* edits extensions
  webhook_endpoints: . *
  webhook_event_types: .
`

/**
 * The paths of both APIs below `/v1/`, with `*` for ids: `chat/completions`, `files/*`.
 *
 * @example
 * const isKnown = KNOWN_ENDPOINTS.includes('chat/completions')
 */
export const KNOWN_ENDPOINTS: readonly string[] = BY_RESOURCE.trim()
  .split('\n')
  .flatMap((line) => {
    const [resource = '', paths = ''] = line.trim().split(': ')
    return paths.split(' ').map((path) => (path === '.' ? resource : `${resource}/${path}`))
  })
