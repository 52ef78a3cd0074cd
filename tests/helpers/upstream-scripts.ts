import type { Script } from './scripted-upstream.ts'

export const SSE = { 'content-type': 'text/event-stream' } as const

/** Answers nothing: the test takes each `arrival()` of the upstream and answers it itself. */
export const byHand: Script = () => undefined

/** Answers every request with a little JSON once its body has come. */
export const answerOk: Script = async (request, connection) => {
  await request.body
  connection.json({ ok: true })
}

/** Answers with the name of who answered, once the body has come. */
export function answerAs(name: string): Script {
  return async (request, connection) => {
    await request.body
    connection.json({ id: `chatcmpl-${name}-0001`, object: 'chat.completion', model: `${name}-model`, by: name })
  }
}

/** Answers with a status and an error of OpenAI's shape. */
export function fail(status: number, headers: Readonly<Record<string, string>> = {}): Script {
  return async (request, connection) => {
    await request.body
    connection.json(
      { error: { message: `scripted ${status}`, type: 'server_error', param: null, code: null } },
      status,
      headers,
    )
  }
}
