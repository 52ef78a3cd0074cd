import { type ReceivedRequest, type Script, type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts'
import { startTestGateway } from './start-gateway.ts'

/** Where the examples are, with a slash at its end. */
export const EXAMPLES = new URL('../../examples/', import.meta.url).pathname
/** The server's key for OpenAI. */
export const KEY = 'sk-of-the-server'
/** The tokens of the callers. */
export const TOKENS = ['token-of-class-7a-0123456789', 'token-of-class-7b-0123456789'] as const

/** Sends a request through an example's gateway: by GET where there are no fields, and as a holder of the first token. */
export type Call = (fields: object | undefined, path?: string, token?: string) => Promise<Response>

/** What an example is tried with; `stop` ends all of it. */
export interface ExampleRig {
  readonly upstream: (script: Script) => Promise<ScriptedUpstream>
  /** Starts the gateway with an example, and the variables of its that lead to upstreams. */
  readonly start: (name: string, env: Readonly<Record<string, string>>) => Promise<Call>
  readonly stop: () => Promise<void>
}

/** Makes what an example is tried with. */
export function createExampleRig(): ExampleRig {
  const stops: (() => Promise<void>)[] = []
  return {
    async upstream(script) {
      const started = await startScriptedUpstream(script)
      stops.push(started.close)
      return started
    },
    async start(name, env) {
      const auth = { REQUIRE_AUTH: 'true', API_TOKEN: `class-7a:${TOKENS[0]},class-7b:${TOKENS[1]}` }
      const gateway = await startTestGateway({ NEXCODE_CONFIG: EXAMPLES + name, OPENAI_API_KEY: KEY, ...auth, ...env })
      stops.push(gateway.stop)
      return (fields, path = '/v1/chat/completions', token = TOKENS[0]) =>
        fetch(gateway.url + path, {
          method: fields === undefined ? 'GET' : 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          ...(fields !== undefined && { body: JSON.stringify(fields) }),
        })
    },
    async stop() {
      for (const stop of stops.splice(0).toReversed()) await stop()
    },
  }
}

/** The parsed body of a request that has arrived. */
export async function sent(request: ReceivedRequest | undefined): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await request?.body))
}
