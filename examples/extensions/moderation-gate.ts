/// <reference path="./nexcode.d.ts" />
import { type Extension, Type } from 'nexcode'

/** Asks the moderation endpoint first, and refuses what it flags. */
const options = Type.Object({
  model: Type.String({ default: 'omni-moderation-latest' }),
  /** How long a verdict is kept, so that a conversation's repeated question costs one call. */
  remember_ms: Type.Integer({ minimum: 1, default: 60_000 }),
})

interface ChatRequest {
  readonly messages?: readonly { readonly role?: string; readonly content?: unknown }[]
}

interface Verdict {
  readonly results?: readonly { readonly flagged?: boolean }[]
}

export default {
  name: 'moderation-gate',
  options,

  async fetch(request, next, context) {
    if (context.endpoint !== 'chat/completions') return next(request)
    const body = await context.body<ChatRequest>()
    const asked = Array.isArray(body?.messages) ? body.messages.findLast(({ role }) => role === 'user') : undefined
    const input = textOf(asked?.content)
    if (input === '') return next(request)
    if (await isFlagged(input)) {
      throw context.error(400, { message: 'Your message was flagged.', code: 'content_flagged', param: 'messages' })
    }
    return next(request)

    async function isFlagged(text: string): Promise<boolean> {
      const { model, remember_ms: ttlMs } = context.options
      const key = await digest(`${model} ${text}`)
      const known = await context.store.get<boolean>(key)
      if (known !== undefined) return known
      const response = await context.call('moderations', { model, input: text })
      // A gate that can't see lets nobody through: with on_error: skip it would let everybody.
      if (!response.ok) throw new Error(`moderations answered ${response.status}`)
      const { results } = (await response.json()) as Verdict
      const flagged = results?.some((result) => result.flagged === true) ?? false
      await context.store.set(key, flagged, { ttlMs })
      return flagged
    }
  },
} satisfies Extension<typeof options>

/** A message's content is a text, or parts of which some are texts. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map((part: { readonly text?: unknown }) => (typeof part?.text === 'string' ? part.text : ''))
    .join('\n')
}

async function digest(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
