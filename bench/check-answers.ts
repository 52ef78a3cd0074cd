import { BODY_NAMES, type Body, bodyOf, makeQuestion } from './load/bodies.ts'
import {
  ANSWER_BODY,
  ANSWER_TEXT,
  LIVE_GAP_MS,
  MODELS,
  STREAM_BODY,
  STREAM_CHUNKS,
  STREAM_TEXT,
} from './mock-answers.ts'
import { SCENARIOS } from './scenarios.ts'
import { chatTarget, post, type StartedGateway } from './started-gateway.ts'

interface Completion {
  readonly choices?: readonly {
    readonly message?: { readonly content?: string }
    readonly delta?: { readonly content?: string }
  }[]
}

/** Throws where a whole answer is not the upstream's. */
export async function checkWhole({ gateway, place }: StartedGateway, asked: Body, kind: string): Promise<void> {
  const answer = await post(chatTarget({ gateway, place }, asked, MODELS.json))
  const body = await answer.text()
  if (answer.status !== 200) throw new Error(`${kind} was answered ${answer.status}: ${body.slice(0, 200)}`)
  const isRight = gateway.rewritesAnswers
    ? (JSON.parse(body) as Completion).choices?.[0]?.message?.content === ANSWER_TEXT
    : body === ANSWER_BODY
  if (!isRight) throw new Error(`the answer to ${kind} is not the upstream's: ${body.slice(0, 200)}`)
}

function streamedText(body: string): string {
  const events = body.split('\n').filter((line) => line.startsWith('data: {'))
  return events.map((line) => (JSON.parse(line.slice(6)) as Completion).choices?.[0]?.delta?.content ?? '').join('')
}

async function checkStream({ gateway, place }: StartedGateway, model: string): Promise<void> {
  const begin = performance.now()
  const answer = await post(chatTarget({ gateway, place }, makeQuestion(), model, true))
  if (answer.status !== 200) throw new Error(`a stream was answered ${answer.status}`)
  let body = ''
  let firstByteMs = 0
  const decoder = new TextDecoder()
  for await (const bytes of answer.body ?? []) {
    if (body === '') firstByteMs = performance.now() - begin
    body += decoder.decode(bytes, { stream: true })
  }
  const isRight = gateway.rewritesAnswers
    ? streamedText(body) === STREAM_TEXT && body.trimEnd().endsWith('data: [DONE]')
    : body === STREAM_BODY
  if (!isRight) throw new Error(`a stream is not the upstream's: it ends with ${JSON.stringify(body.slice(-80))}`)
  const liveMs = STREAM_CHUNKS * LIVE_GAP_MS
  if (model === MODELS.live && firstByteMs > liveMs / 2) throw new Error('it holds back what a live stream has sent')
}

/** Throws where a gateway does not hand on what the upstream answers: whole answers, the bodies of each load that it gets, streams. */
export async function checkAnswers(started: StartedGateway): Promise<void> {
  await checkWhole(started, makeQuestion(), 'a question')
  for (const name of BODY_NAMES) {
    const { onlyFor } = SCENARIOS.find((scenario) => scenario.name === name) ?? {}
    if (onlyFor?.(started.gateway) ?? true) await checkWhole(started, bodyOf(name), name)
  }
  await checkStream(started, MODELS.flat)
  await checkStream(started, MODELS.live)
  if (!started.gateway.fillsModel) return
  const unnamed = await post(chatTarget(started, makeQuestion(), undefined))
  if (unnamed.status !== 200) throw new Error(`a body that names no model was answered ${unnamed.status}`)
}
