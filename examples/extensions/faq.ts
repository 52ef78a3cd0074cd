/// <reference path="./nexcode.d.ts" />
import { type Extension, Type } from 'nexcode'

/** Answers known questions by itself: nothing is asked, nothing is paid, and no upstream need be up. */
const options = Type.Object({
  answers: Type.Record(Type.String(), Type.String(), {
    description: 'Answers by their questions; case, white space and punctuation at the end make no difference.',
    default: { 'What are your opening hours?': 'Monday to Friday, 9 to 17.' },
  }),
})

interface ChatRequest {
  readonly model?: string
  readonly stream?: boolean
  readonly messages?: readonly { readonly role?: string; readonly content?: unknown }[]
}

export default {
  name: 'faq',
  options,

  async fetch(request, next, context) {
    if (context.endpoint !== 'chat/completions') return next(request)
    const body = await context.body<ChatRequest>()
    const question = Array.isArray(body?.messages) ? body.messages.at(-1)?.content : undefined
    const answers = Object.entries(context.options.answers)
    const answer = answers.find(([known]) => typeof question === 'string' && plain(known) === plain(question))?.[1]
    if (answer === undefined) return next(request)

    const common = {
      id: `chatcmpl-${context.requestId}`,
      created: Math.floor(Date.now() / 1000),
      model: body?.model ?? 'faq',
    }
    const choice = { index: 0, logprobs: null, finish_reason: 'stop' }
    if (body?.stream === true) {
      const chunk = { ...common, object: 'chat.completion.chunk' }
      const delta = { role: 'assistant', content: answer }
      return context.stream([
        { json: { ...chunk, choices: [{ ...choice, finish_reason: null, delta }] } },
        { json: { ...chunk, choices: [{ ...choice, delta: {} }] } },
        { data: '[DONE]' },
      ])
    }
    const message = { role: 'assistant', content: answer, refusal: null }
    const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
    return Response.json({ ...common, object: 'chat.completion', choices: [{ ...choice, message }], usage })
  },
} satisfies Extension<typeof options>

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[?!.？！。]+$/u, '')
}
