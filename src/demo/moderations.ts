import type { JsonCall, SimulatedAnswer } from './call.ts'
import { readString } from './read-field.ts'
import { missingParameter } from './refusals.ts'

const categories = [
  'harassment',
  'harassment/threatening',
  'sexual',
  'hate',
  'hate/threatening',
  'illicit',
  'illicit/violent',
  'self-harm/intent',
  'self-harm/instructions',
  'self-harm',
  'sexual/minors',
  'violence',
  'violence/graphic',
]

/** `POST /v1/moderations` (OpenAI specification: CreateModerationResponse). Nothing is ever flagged. */
export function answerModeration({ body, fingerprint }: JsonCall): SimulatedAnswer {
  const input = body['input'] ?? undefined
  if (input === undefined) throw missingParameter('input')
  const texts = Array.isArray(input) && input.every((item) => typeof item === 'string') ? input : [input]
  const result = {
    flagged: false,
    categories: Object.fromEntries(categories.map((name) => [name, false])),
    category_scores: Object.fromEntries(categories.map((name) => [name, 0])),
    category_applied_input_types: Object.fromEntries(categories.map((name) => [name, ['text']])),
  }
  return {
    kind: 'json',
    value: {
      id: `modr-simulated-${fingerprint}`,
      model: readString(body, 'model') ?? 'omni-moderation-latest',
      results: texts.map(() => result),
    },
  }
}
