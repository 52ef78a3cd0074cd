import { type ConfigFile, writeConfigFile } from './config-file.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts'
import { type Env, startTestGateway, type TestGateway } from './start-gateway.ts'

/** A gateway with a configuration file, in front of several scripted upstreams. */
export interface Routed<Name extends string> {
  readonly gateway: TestGateway
  readonly file: ConfigFile
  readonly upstreams: Readonly<Record<Name, ScriptedUpstream>>
  /** Sends a chat completion and gives the whole answer. */
  readonly chat: (
    body: Readonly<Record<string, unknown>> | string,
    headers?: Readonly<Record<string, string>>,
    path?: string,
  ) => Promise<Response>
  readonly stop: () => Promise<void>
}

/** What the file says beside `upstreams`, of which each is one of the scripts; `settings` adds to one of them. */
export interface RoutedOptions<Name extends string> {
  readonly upstreams: Readonly<Record<Name, Script>>
  readonly settings?: Partial<Readonly<Record<Name, object>>>
  readonly file?: object
  readonly env?: Env
}

export const MESSAGES = [{ role: 'user', content: 'hi' }] as const

/** Starts the upstreams, writes the file, and starts the gateway. */
export async function startRouted<Name extends string>(options: RoutedOptions<Name>): Promise<Routed<Name>> {
  const names = Object.keys(options.upstreams) as Name[]
  const started = await Promise.all(
    names.map(async (name) => [name, await startScriptedUpstream(options.upstreams[name])] as const),
  )
  const upstreams = Object.fromEntries(started) as Record<Name, ScriptedUpstream>
  const file = writeConfigFile({
    upstreams: Object.fromEntries(
      names.map((name) => [name, { base_url: `${upstreams[name].url}/v1`, ...options.settings?.[name] }]),
    ),
    ...options.file,
  })
  const gateway = await startTestGateway({ NEXCODE_CONFIG: file.path, ...options.env })
  return {
    gateway,
    file,
    upstreams,
    chat: (body, headers = {}, path = '/v1/chat/completions') =>
      fetch(`${gateway.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify({ messages: MESSAGES, ...body }),
      }),
    async stop() {
      await gateway.stop()
      await Promise.all(started.map(([, upstream]) => upstream.close()))
      file.remove()
    },
  }
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
