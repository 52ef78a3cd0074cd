/// <reference path="./nexcode.d.ts" />
import { appendFile } from 'node:fs/promises'
import { type Extension, type ServerSentEvent, Type } from 'nexcode'

/** Writes a line for each answer that tells its usage: when, who, which model, how many tokens. */
const options = Type.Object({
  file: Type.String({ default: 'usage.csv' }),
})

interface Answer {
  readonly model?: string
  readonly usage?: {
    readonly prompt_tokens?: number
    readonly input_tokens?: number
    readonly completion_tokens?: number
    readonly output_tokens?: number
  } | null
}

export default {
  name: 'usage-csv',
  options,

  async fetch(request, next, context) {
    const response = await next(request)
    const type = response.headers.get('content-type') ?? ''
    if (!response.ok) return response
    if (type.startsWith('application/json')) {
      // The copy is read behind the answer.
      const copy = response.clone()
      context.waitUntil(copy.json().then((answer) => write(answer as Answer)))
      return response
    }
    // A chat completion's stream tells its usage only where the caller asks for it: stream_options: { include_usage: true }.
    return type.startsWith('text/event-stream') ? context.stream(watch(context.events(response)), response) : response

    async function* watch(events: AsyncIterable<ServerSentEvent>) {
      for await (const event of events) {
        // The events of /v1/responses have the answer within.
        const answer = event.json as (Answer & { readonly response?: Answer }) | undefined
        const told = answer?.response ?? answer
        if (told?.usage) context.waitUntil(write(told))
        yield event
      }
    }

    async function write({ model, usage }: Answer): Promise<void> {
      if (!usage) return
      const sent = usage.prompt_tokens ?? usage.input_tokens ?? 0
      const made = usage.completion_tokens ?? usage.output_tokens ?? 0
      const { kind, id } = context.principal
      const cells = [new Date().toISOString(), context.requestId, id ?? kind, context.endpoint, model ?? '', sent, made]
      await appendFile(context.options.file, `${cells.map(cell).join(',')}\n`)
    }
  },
} satisfies Extension<typeof options>

/** What could end a cell or begin a formula is quoted. */
function cell(value: string | number): string {
  const text = String(value)
  return /^[=+\-@]|[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
