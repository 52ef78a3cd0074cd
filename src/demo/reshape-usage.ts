import type { SimulatedAnswer } from './call.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts'
import { dataEvents } from './sse.ts'
import { asOpenAI, type CountedForm, usageShapes } from './usage-shapes.ts'

/**
 * Gives the answer to a chat or text completion with its usage in another server's shape. `answer` has OpenAI's, also where the request did not
 * ask for it; `isAsked`: whether it did. Other answers stay as they are.
 */
export function reshapeUsage(answer: SimulatedAnswer, name: string, isAsked: boolean): SimulatedAnswer {
  const shape = usageShapes[name]
  if (shape === undefined) return answer
  if (answer.kind === 'json') {
    if (!isJsonObject(answer.value) || !isJsonObject(answer.value['usage'])) return answer
    const { usage, ...others } = answer.value
    const told = shape.usage(formOf(usage, isAsked))
    return { ...answer, value: told === undefined ? others : { ...others, usage: told } }
  }
  if (answer.kind === 'bytes' || !answer.frames.every((frame) => frame.startsWith('data: '))) return answer
  const all = answer.frames.flatMap(chunkIn)
  const usage = all.find((chunk) => isJsonObject(chunk['usage']))?.['usage']
  const chunks = all.filter((chunk) => !isJsonObject(chunk['usage'])).map(({ usage: _, ...chunk }) => chunk)
  const form = formOf(usage, isAsked)
  const make =
    shape.stream ?? ((given: readonly JsonObject[]) => asOpenAI(given, { ...form, usage: shape.usage(form) ?? {} }))
  return dataEvents(make(chunks, form))
}

function formOf(usage: JsonValue | undefined, isAsked: boolean): CountedForm {
  const told = isJsonObject(usage) ? usage : {}
  const { prompt_tokens: prompt, completion_tokens: completion } = told
  return { prompt: Number(prompt ?? 0), completion: Number(completion ?? 0), usage: told, isAsked }
}

function chunkIn(frame: string): JsonObject[] {
  const data = frame.slice('data: '.length).trim()
  return data === '[DONE]' ? [] : [JSON.parse(data) as JsonObject]
}
