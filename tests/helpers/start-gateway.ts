import { type SimulatedServer, startSimulatedServer } from '../../src/cli/simulated-server.ts'
import type { SimulatedOpenAIOptions } from '../../src/demo/simulated-openai.ts'
import { type ConfigFile, writeConfigFile } from './config-file.ts'
import { type Env, type GatewayUnderTest, runGateway } from './gateway-under-test.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from './scripted-upstream.ts'
import { MESSAGES, type RequestParts, type SentRequest, sendRequest } from './send-request.ts'

/** How an upstream answers: by a script, or as OpenAI would, with or without options of the simulation. */
export type UpstreamKind = Script | 'simulated' | SimulatedOpenAIOptions

/** A started upstream of a kind. */
export type StartedUpstream<Kind extends UpstreamKind> = Kind extends Script ? ScriptedUpstream : SimulatedServer

/** A gateway's set-up; all of it may be absent. */
export interface GatewayOptions<Name extends string = string, Kind extends UpstreamKind = Script> {
  /** Upstreams by name, each on a port of its own. With `file` or `settings` they stand in the file; else the only one is OPENAI_API_BASE. */
  readonly upstreams?: Readonly<Record<Name, Kind>>
  /** Settings of an upstream in the file, beside its `base_url`. */
  readonly settings?: Partial<Readonly<Record<Name, object>>>
  /** The configuration file, without the upstreams. */
  readonly file?: object
  readonly env?: Env
  /** Runs the gateway as a process of its own, by this command line; `gatewayCommand()` is the program under test. */
  readonly command?: readonly string[]
}

/** A gateway with its upstreams. It ends with `stop`, or by `await using`. */
export interface TestGateway<Name extends string = never, Upstream = ScriptedUpstream>
  extends GatewayUnderTest,
    AsyncDisposable {
  readonly upstreams: Readonly<Record<Name, Upstream>>
  /** The configuration file, where it has one of `file` and `settings`. */
  readonly file: ConfigFile | undefined
  /** Sends a chat completion and resolves with the answer's head. */
  readonly chat: (
    body: Readonly<Record<string, unknown>> | string,
    headers?: Readonly<Record<string, string>>,
    path?: string,
  ) => Promise<Response>
  /** Sends a request on a connection of its own, by default a streamed chat completion. */
  readonly send: (parts?: RequestParts) => Promise<SentRequest>
  /** Ends the gateway and its upstreams, and removes the file. */
  readonly stop: () => Promise<void>
}

/**
 * Starts upstreams and a gateway before them, on free ports of 127.0.0.1. The gateway runs in this process, from source, or as the
 * binary that NEXCODE_BINARY names, so that the same tests speak for both.
 *
 * @example
 * await using gateway = await startGateway({ upstreams: { first: fail(503), second: answerOk }, file: { models } })
 * expect((await gateway.chat({ model: 'm' })).status).toBe(200)
 * expect(gateway.upstreams.second.requests).toHaveLength(1)
 */
export async function startGateway<Name extends string = never, Kind extends UpstreamKind = Script>(
  options: GatewayOptions<Name, Kind> = {},
): Promise<TestGateway<Name, StartedUpstream<Kind>>> {
  const upstreams = await startUpstreams(options.upstreams)
  const file = writeFileOf(options, upstreams)
  const gateway = await runGateway({ ...addressOf(file, upstreams), ...options.env }, options.command)
  const stop = async (): Promise<void> => {
    await gateway.stop()
    await Promise.all(Object.values<StartedUpstream<Kind>>(upstreams).map((upstream) => upstream.close()))
    file?.remove()
  }
  return {
    ...gateway,
    upstreams,
    file,
    chat: (body, headers = {}, path = '/v1/chat/completions') =>
      fetch(`${gateway.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify({ messages: MESSAGES, ...body }),
      }),
    send: (parts) => sendRequest(gateway, parts),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function startUpstreams<Name extends string, Kind extends UpstreamKind>(
  kinds: Readonly<Record<Name, Kind>> | undefined,
): Promise<Record<Name, StartedUpstream<Kind>>> {
  const entries = Object.entries<Kind>(kinds ?? {}).map(async ([name, kind]) => [name, await startUpstream(kind)])
  return Object.fromEntries(await Promise.all(entries))
}

function startUpstream(kind: UpstreamKind): Promise<ScriptedUpstream> | SimulatedServer {
  if (typeof kind === 'function') return startScriptedUpstream(kind)
  return startSimulatedServer({ chunkDelayMs: 0, ...(kind !== 'simulated' && kind) })
}

type Addresses = Readonly<Record<string, { readonly url: string }>>

function writeFileOf(
  { file, settings }: GatewayOptions<string, UpstreamKind>,
  upstreams: Addresses,
): ConfigFile | undefined {
  if (file === undefined && settings === undefined) return undefined
  const entries = Object.entries(upstreams).map(
    ([name, { url }]) => [name, { base_url: `${url}/v1`, ...settings?.[name] }] as const,
  )
  return writeConfigFile({ upstreams: Object.fromEntries(entries), ...file })
}

/** The variable by which the gateway finds its upstreams. */
function addressOf(file: ConfigFile | undefined, upstreams: Addresses): Env {
  if (file !== undefined) return { NEXCODE_CONFIG: file.path }
  const [only, ...others] = Object.values(upstreams)
  if (others.length > 0) throw new Error('Several upstreams need a `file`, which may be empty.')
  return only === undefined ? {} : { OPENAI_API_BASE: `${only.url}/v1` }
}
