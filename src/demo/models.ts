import type { SimulatedAnswer, SimulatedCall } from './call.ts'
import { unknownModel } from './refusals.ts'

/** The names in the list. Any other name is served too; those that begin with `simulate-` ask for a fault. */
export const listedModels: readonly string[] = [
  'gpt-3.5-turbo',
  'gpt-3.5-turbo-instruct',
  'gpt-4o',
  'gpt-4o-mini',
  'gpt-5',
  'text-embedding-3-small',
  'text-embedding-3-large',
  'text-embedding-ada-002',
  'tts-1',
  'whisper-1',
  'omni-moderation-latest',
  'simulate-429',
  'simulate-500',
  'simulate-delay-2000',
  'simulate-slow-200',
  'simulate-reset-midstream',
]

/** `GET /v1/models` (OpenAI specification: ListModelsResponse). */
export function answerModels({ created }: SimulatedCall): SimulatedAnswer {
  return { kind: 'json', value: { object: 'list', data: listedModels.map((id) => model(id, created)) } }
}

/** `GET /v1/models/{id}` (OpenAI specification: Model). @throws SimulatedError 404 for a name that is not listed. */
export function answerModel({ id, created }: SimulatedCall): SimulatedAnswer {
  if (!listedModels.includes(id)) throw unknownModel(id)
  return { kind: 'json', value: model(id, created) }
}

function model(id: string, created: number) {
  return { id, object: 'model', created, owned_by: 'nexcode-simulated' }
}
