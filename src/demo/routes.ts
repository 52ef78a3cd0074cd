import { answerSpeech, answerTranscription } from './audio.ts'
import type { FormCall, JsonCall, SimulatedAnswer, SimulatedCall } from './call.ts'
import { answerChatCompletion } from './chat-completions.ts'
import { answerCompletion } from './completions.ts'
import { answerEmbeddings } from './embeddings.ts'
import { createFiles } from './files.ts'
import { answerImages } from './images.ts'
import { answerMessage, answerTokenCount } from './messages.ts'
import { answerModel, answerModels } from './models.ts'
import { answerModeration } from './moderations.ts'
import { unknownUrl, wrongMethod } from './refusals.ts'
import { answerResponse, answerStoredResponse } from './responses.ts'

type Answering<C> = (call: C) => SimulatedAnswer | Promise<SimulatedAnswer>

/** One endpoint: its method and path, in which `{id}` stands for one segment, and what kind of body it reads. */
export type Route = { readonly method: string; readonly path: string } & (
  | { readonly reads: 'json'; readonly answer: Answering<JsonCall> }
  | { readonly reads: 'form'; readonly answer: Answering<FormCall> }
  | { readonly reads: 'nothing'; readonly answer: Answering<SimulatedCall> }
)

/** Every endpoint of one simulated OpenAI, whose files are its own. */
export function createRoutes(): readonly Route[] {
  const files = createFiles()
  return [
    { method: 'POST', path: '/v1/chat/completions', reads: 'json', answer: answerChatCompletion },
    { method: 'POST', path: '/v1/completions', reads: 'json', answer: answerCompletion },
    { method: 'POST', path: '/v1/responses', reads: 'json', answer: answerResponse },
    { method: 'GET', path: '/v1/responses/{id}', reads: 'nothing', answer: answerStoredResponse },
    { method: 'DELETE', path: '/v1/responses/{id}', reads: 'nothing', answer: answerStoredResponse },
    { method: 'POST', path: '/v1/messages', reads: 'json', answer: answerMessage },
    { method: 'POST', path: '/v1/messages/count_tokens', reads: 'json', answer: answerTokenCount },
    { method: 'POST', path: '/v1/images/generations', reads: 'json', answer: answerImages },
    { method: 'POST', path: '/v1/embeddings', reads: 'json', answer: answerEmbeddings },
    { method: 'POST', path: '/v1/moderations', reads: 'json', answer: answerModeration },
    { method: 'GET', path: '/v1/models', reads: 'nothing', answer: answerModels },
    { method: 'GET', path: '/v1/models/{id}', reads: 'nothing', answer: answerModel },
    { method: 'POST', path: '/v1/audio/speech', reads: 'json', answer: answerSpeech },
    { method: 'POST', path: '/v1/audio/transcriptions', reads: 'form', answer: answerTranscription },
    { method: 'POST', path: '/v1/audio/translations', reads: 'form', answer: answerTranscription },
    { method: 'POST', path: '/v1/files', reads: 'form', answer: files.answerUpload },
    { method: 'GET', path: '/v1/files', reads: 'nothing', answer: files.answerList },
    { method: 'GET', path: '/v1/files/{id}', reads: 'nothing', answer: files.answerFile },
    { method: 'DELETE', path: '/v1/files/{id}', reads: 'nothing', answer: files.answerDeletion },
    { method: 'GET', path: '/v1/files/{id}/content', reads: 'nothing', answer: files.answerContent },
  ]
}

/**
 * The route for a method and path, and what stands in the path for `{id}`.
 *
 * @throws SimulatedError 404 where no route has the path, 405 where others have it for other methods.
 */
export function findRoute(routes: readonly Route[], method: string, path: string): { route: Route; id: string } {
  const matches = routes.flatMap((route) => {
    const id = idIn(route.path, path)
    return id === undefined ? [] : [{ route, id }]
  })
  const match = matches.find(({ route }) => route.method === method)
  if (match !== undefined) return match
  if (matches.length === 0) throw unknownUrl(method, path)
  throw wrongMethod(
    method,
    path,
    matches.map(({ route }) => route.method),
  )
}

function idIn(pattern: string, path: string): string | undefined {
  const expected = pattern.split('/')
  const given = path.split('/')
  if (given.length !== expected.length) return undefined
  let id = ''
  for (const [index, segment] of expected.entries()) {
    const at = given[index] ?? ''
    if (segment === '{id}' && at !== '') id = at
    else if (segment !== at) return undefined
  }
  try {
    return decodeURIComponent(id)
  } catch {
    // Not a valid escape: it names nothing, and stands for itself in the error.
    return id
  }
}
