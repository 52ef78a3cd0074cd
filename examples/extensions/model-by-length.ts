/// <reference path="./nexcode.d.ts" />
import { type Extension, Type } from 'nexcode'

/** Chooses the model by the length of what is asked, for callers that ask for the model "auto". */
const options = Type.Object({
  name: Type.String({ default: 'auto' }),
  short: Type.String({ default: 'gpt-4o-mini' }),
  long: Type.String({ default: 'gpt-4o' }),
  /** From so many characters on it is a long one. */
  long_from: Type.Integer({ minimum: 1, default: 4_000 }),
})

interface ChatRequest {
  readonly model?: string
  readonly messages?: unknown
}

export default {
  name: 'model-by-length',
  options,

  async fetch(request, next, context) {
    const body = await (context.endpoint === 'chat/completions' ? context.body<ChatRequest>() : undefined)
    const { name, short, long, long_from: longFrom } = context.options
    if (body?.model !== name) return next(request)
    const model = JSON.stringify(body.messages ?? '').length < longFrom ? short : long
    context.log.debug({ model }, 'model chosen by length')
    return next(new Request(request, { body: JSON.stringify({ ...body, model }) }))
  },
} satisfies Extension<typeof options>
