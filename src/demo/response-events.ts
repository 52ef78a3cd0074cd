import { type JsonObject, textOf } from './json-value.ts'
import { argumentPieces } from './pieces.ts'

type ResponseEvent = JsonObject & { type: string }

/**
 * The events of a streamed response, in OpenAI's order: it begins, each output item is added, filled and done, it ends.
 *
 * @param opened the response at its beginning
 * @param ended the response at its end, whose status names the last event
 * @param output its items: messages with one text, or calls of functions
 * @param words the text of a message, in the pieces in which it is sent
 */
export function responseEvents(
  opened: JsonObject,
  ended: JsonObject & { status: string },
  output: readonly JsonObject[],
  words: readonly string[],
): ResponseEvent[] {
  return [
    { type: 'response.created', response: opened },
    { type: 'response.in_progress', response: opened },
    ...output.flatMap((item, index) =>
      item['type'] === 'function_call' ? callEvents(item, index) : messageEvents(item, index, words),
    ),
    { type: `response.${ended.status}`, response: ended },
  ]
}

function messageEvents(item: JsonObject, outputIndex: number, words: readonly string[]): ResponseEvent[] {
  const at = { item_id: textOf(item['id']), output_index: outputIndex, content_index: 0 }
  const part = { type: 'output_text', text: '', annotations: [], logprobs: [] }
  const text = words.join('')
  const started = { ...item, status: 'in_progress', content: [] }
  return [
    { type: 'response.output_item.added', output_index: outputIndex, item: started },
    { type: 'response.content_part.added', ...at, part },
    ...words.map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...at, text, logprobs: [] },
    { type: 'response.content_part.done', ...at, part: { ...part, text } },
    { type: 'response.output_item.done', output_index: outputIndex, item },
  ]
}

function callEvents(item: JsonObject, outputIndex: number): ResponseEvent[] {
  const at = { item_id: textOf(item['id']), output_index: outputIndex }
  const json = textOf(item['arguments'])
  const started = { ...item, status: 'in_progress', arguments: '' }
  return [
    { type: 'response.output_item.added', output_index: outputIndex, item: started },
    ...argumentPieces(json).map((delta) => ({ type: 'response.function_call_arguments.delta', ...at, delta })),
    { type: 'response.function_call_arguments.done', ...at, name: textOf(item['name']), arguments: json },
    { type: 'response.output_item.done', output_index: outputIndex, item },
  ]
}
