/// <reference path="./nexcode.d.ts" />
import { type Extension, type ServerSentEvent, Type } from 'nexcode'

/** Ends a chat completion's stream before a forbidden phrase gets out, also where the phrase comes in pieces. */
const options = Type.Object({
  phrases: Type.Array(Type.String({ minLength: 1 }), { minItems: 1, default: ['for internal use only'] }),
})

interface Chunk {
  readonly choices?: readonly { readonly index?: number; readonly delta?: { readonly content?: string | null } }[]
}

export default {
  name: 'phrase-guard',
  options,

  async fetch(request, next, context) {
    const response = await next(request)
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
    if (context.endpoint !== 'chat/completions' || !isStream) return response
    const phrases = context.options.phrases.map((phrase) => phrase.toLowerCase())
    return context.stream(guard(context.events(response)), response)

    async function* guard(events: AsyncIterable<ServerSentEvent>) {
      /** What each choice has said so far, as far as a phrase may have begun in it. */
      const said = new Map<number, string>()
      /** Events whose text may be the beginning of a phrase: they wait for what follows. */
      let held: ServerSentEvent[] = []
      for await (const event of events) {
        for (const { index = 0, delta } of (event.json as Chunk | undefined)?.choices ?? []) {
          const text = (said.get(index) ?? '') + (delta?.content ?? '').toLowerCase()
          const found = phrases.find((phrase) => text.includes(phrase))
          if (found !== undefined) {
            context.log.warn({ phrase: found }, 'a forbidden phrase: the stream was ended')
            // To leave the loop ends the upstream's answer, too.
            yield {
              json: { ...(event.json as object), choices: [{ index, delta: {}, finish_reason: 'content_filter' }] },
            }
            yield { data: '[DONE]' }
            return
          }
          said.set(index, beginningIn(text))
        }
        held.push(event)
        const isOpen = [...said.values()].some((text) => text !== '')
        if (isOpen && event.data !== '[DONE]') continue
        yield* held
        held = []
      }
      yield* held
    }

    /** The longest end of a text that a phrase begins with. */
    function beginningIn(text: string): string {
      const length = Math.max(...phrases.map((phrase) => phrase.length)) - 1
      for (let size = Math.min(length, text.length); size > 0; size -= 1) {
        if (phrases.some((phrase) => phrase.startsWith(text.slice(-size)))) return text.slice(-size)
      }
      return ''
    }
  },
} satisfies Extension<typeof options>
