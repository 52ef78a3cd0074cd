import { afterEach } from 'bun:test'
import { lastRequest } from './pair.ts'
import { type RawResponse, sendRaw } from './raw-client.ts'
import { type Routed, type RoutedOptions, startRouted } from './routed.ts'
import type { ScriptedUpstream } from './scripted-upstream.ts'

/** Gives what starts a routed gateway for one test: it is stopped when the test is over. */
export function routedPerTest(): <Name extends string>(options: RoutedOptions<Name>) => Promise<Routed<Name>> {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()))
  })
  return async (options) => {
    const routed = await startRouted(options)
    stops.push(routed.stop)
    return routed
  }
}

/** The body of the last request that an upstream got, as it stood on the wire. */
export async function lastBody(upstream: ScriptedUpstream): Promise<string> {
  return Buffer.from(await lastRequest(upstream).body).toString()
}

/** The status and the error of an answer of OpenAI's shape. */
export async function errorOf(response: Response): Promise<readonly [status: number, error: unknown]> {
  const { error } = (await response.json()) as { readonly error: unknown }
  return [response.status, error]
}

/** What a request is refused with, by itself: the status and the error's `param` and `code`. */
export interface Refusal {
  readonly status: number
  readonly param: string | null
  readonly code: string | null
}

/** Sends a request as it is and gives what it is refused with. */
export async function refusalOf(port: number, bytes: string | Uint8Array): Promise<Refusal> {
  const response: RawResponse = await sendRaw(port, bytes)
  const { error } = response.json() as { readonly error: Omit<Refusal, 'status'> }
  return { status: response.status, param: error.param, code: error.code }
}
