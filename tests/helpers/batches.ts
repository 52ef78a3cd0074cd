/** A rule that caps the tokens of chats, in a configuration file. */
export const CAP = {
  params: [{ match: { endpoint: 'chat/completions' }, defaults: { seed: 1 }, clamp: { max_tokens: { max: 100 } } }],
}
/** Two models, and no others, in a configuration file. */
export const REFUSING = {
  unknown_models: 'refuse',
  models: {
    smart: { targets: [{ upstream: 'only', model: 'real' }] },
    plain: { targets: [{ upstream: 'only' }] },
  },
}

/** A line of a batch's file, by default a chat. */
export function batchLine(body: object, url: string | undefined = '/v1/chat/completions'): string {
  return JSON.stringify({ custom_id: '1', method: 'POST', url, body })
}
