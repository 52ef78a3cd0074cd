import type { ChatChoice } from './chat-choices.ts'
import type { FunctionCall } from './choose-tools.ts'
import { tokenLogprobs } from './compose-text.ts'
import type { JsonObject } from './json-value.ts'
import { argumentPieces, interleaved } from './pieces.ts'

/**
 * The chunks of a streamed chat completion: each choice's role, its words one by one, how it ended, and then the usage.
 *
 * Several choices come interleaved. Where usage was asked for, every chunk before carries `usage: null`, as at OpenAI.
 */
export function chatChunks(
  head: JsonObject,
  choices: readonly ChatChoice[],
  usage: JsonObject | undefined,
): JsonObject[] {
  const tail: JsonObject = usage === undefined ? {} : { usage: null }
  const chunks = interleaved(choices.map(choiceDeltas)).map((choice) => ({ ...head, choices: [choice], ...tail }))
  return usage === undefined ? chunks : [...chunks, { ...head, choices: [], usage }]
}

function choiceDeltas({ reply, calls, alternatives }: ChatChoice, index: number): JsonObject[] {
  const step = (delta: JsonObject, finish: string | null, logprobs: JsonObject | null = null) => ({
    index,
    delta,
    logprobs,
    finish_reason: finish,
  })
  if (calls.length > 0) {
    const deltas = calls.flatMap(callDeltas)
    const [first = {}, ...rest] = deltas
    const opening = { role: 'assistant', content: null, ...first, refusal: null }
    return [step(opening, null), ...rest.map((delta) => step(delta, null)), step({}, 'tool_calls')]
  }
  const words = reply.tokens.map((token) =>
    step(
      { content: token },
      null,
      alternatives === undefined ? null : { content: tokenLogprobs([token], alternatives), refusal: null },
    ),
  )
  return [step({ role: 'assistant', content: '', refusal: null }, null), ...words, step({}, reply.finish)]
}

/** A call's name first, with empty arguments, then its arguments piece by piece. */
function callDeltas({ id, name, arguments: json }: FunctionCall, index: number): JsonObject[] {
  return [
    { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] },
    ...argumentPieces(json).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ]
}
