import type { Env } from './gateway-under-test.ts'
import type { ReceivedRequest } from './scripted-upstream.ts'
import { startGateway, type TestGateway } from './start-gateway.ts'

/** Where the examples are, with a slash at its end. */
export const EXAMPLES = new URL('../../examples/', import.meta.url).pathname
/** The server's key for OpenAI. */
export const KEY = 'sk-of-the-server'
/** The tokens of the callers. */
export const TOKENS = ['token-of-class-7a-0123456789', 'token-of-class-7b-0123456789'] as const

/** Sends a request through an example's gateway: by GET where there are no fields, and as a holder of the first token. */
export type ExampleCall = (fields: object | undefined, path?: string, token?: string) => Promise<Response>

/** A gateway that runs with an example's file. */
export interface ExampleGateway extends TestGateway {
  readonly call: ExampleCall
}

/** Starts a gateway with an example's file, and the variables of the example that lead to upstreams. */
export async function startExample(name: string, env: Env): Promise<ExampleGateway> {
  const auth = { REQUIRE_AUTH: 'true', API_TOKEN: `class-7a:${TOKENS[0]},class-7b:${TOKENS[1]}` }
  const gateway = await startGateway({
    env: { NEXCODE_CONFIG: EXAMPLES + name, OPENAI_API_KEY: KEY, ...auth, ...env },
  })
  const call: ExampleCall = (fields, path = '/v1/chat/completions', token = TOKENS[0]) =>
    fetch(gateway.url + path, {
      method: fields === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      ...(fields !== undefined && { body: JSON.stringify(fields) }),
    })
  return { ...gateway, call }
}

/** The parsed body of a request that has arrived. */
export async function sent(request: ReceivedRequest | undefined): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await request?.body))
}
