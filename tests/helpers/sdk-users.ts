import OpenAI, { APIError } from 'openai'
import type { FaultyCall } from './failover-calls.ts'
import type { UserOutcome } from './failover-rules.ts'

const SCRIPT = new URL('../contract/python/failover_cases.py', import.meta.url).pathname

/** Makes calls with the official library for Node as it comes, some at once, and gives what the user has in hand after each. */
export async function callWithNode(
  baseURL: string,
  calls: readonly FaultyCall[],
  inFlight: number,
): Promise<UserOutcome[]> {
  const client = new OpenAI({ baseURL, apiKey: 'sk-of-the-caller' })
  const outcomes: UserOutcome[] = []
  const waiting = calls.values()
  const work = async (): Promise<void> => {
    for (const call of waiting) outcomes.push(await callOnce(client, call))
  }
  await Promise.all(Array.from({ length: inFlight }, work))
  return outcomes
}

async function callOnce(client: OpenAI, { id, model, stream }: FaultyCall): Promise<UserOutcome> {
  const body = { model, messages: [{ role: 'user' as const, content: 'Hello' }] }
  const options = { headers: { 'x-client-request-id': id } }
  let text = ''
  try {
    if (stream) {
      for await (const chunk of await client.chat.completions.create({ ...body, stream }, options))
        text += chunk.choices[0]?.delta.content ?? ''
    } else {
      const answer = await client.chat.completions.create(body, options)
      text = answer.choices[0]?.message.content ?? ''
    }
    return { id, text, error: null }
  } catch (thrown) {
    const name = thrown instanceof Error ? thrown.constructor.name : typeof thrown
    return { id, text, error: `${name} ${thrown instanceof APIError ? thrown.status : undefined}` }
  }
}

/** Makes calls with the official library for Python, as `callWithNode` does. */
export async function callWithPython(
  executable: string,
  baseUrl: string,
  calls: readonly FaultyCall[],
  inFlight: number,
): Promise<UserOutcome[]> {
  const child = Bun.spawn([executable, '-B', SCRIPT], {
    env: { BASE_URL: baseUrl, IN_FLIGHT: String(inFlight) },
    stdin: new Blob([JSON.stringify(calls)]),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [printed, complaints] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if ((await child.exited) !== 0) throw new Error(complaints)
  return printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as UserOutcome)
}
