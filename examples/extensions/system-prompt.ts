/// <reference path="./nexcode.d.ts" />
import { type Extension, Type } from 'nexcode'

/** Puts a system prompt in front of everybody's conversation. */
const options = Type.Object({
  prompt: Type.String({ minLength: 1, default: 'Answer briefly, and in the language of the question.' }),
})

interface ChatRequest {
  readonly messages?: readonly unknown[]
}

export default {
  name: 'system-prompt',
  options,

  async fetch(request, next, context) {
    const body = await (context.endpoint === 'chat/completions' ? context.body<ChatRequest>() : undefined)
    // What is no conversation is the API's to refuse.
    if (!Array.isArray(body?.messages)) return next(request)
    const messages = [{ role: 'system', content: context.options.prompt }, ...body.messages]
    return next(new Request(request, { body: JSON.stringify({ ...body, messages }) }))
  },
} satisfies Extension<typeof options>
