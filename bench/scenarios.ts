import type { Gateway, Setup } from './gateways/gateway.ts'
import { type Body, type BodyName, bodyOf, makeQuestion } from './load/bodies.ts'
import { runFixedRate } from './load/fixed-rate.ts'
import type { RequestFigures, StreamFigures } from './load/load.ts'
import type { Sdk } from './load/sdk-headers.ts'
import { runStreams } from './load/streams.ts'
import { runWrk } from './load/wrk.ts'
import { MODELS, STREAM_CHUNKS } from './mock-answers.ts'
import { chatTarget, type StartedGateway } from './started-gateway.ts'

type Kind =
  | { readonly unit: 'request'; run(started: StartedGateway, seconds: number): Promise<RequestFigures> }
  | { readonly unit: 'chunk'; run(started: StartedGateway, seconds: number): Promise<StreamFigures> }

/** One way of loading a gateway. */
export type Scenario = Kind & {
  /** The name on the command line and in the results. */
  readonly name: string
  readonly title: string
  /** How the gateway is set up that it runs against; `plain` where absent. */
  readonly setup?: Setup
  /** Whose figures stand in its table, where it is not everybody's; the others' are those of the named scenario. */
  readonly onlyFor?: (gateway: Gateway) => boolean
  readonly comparedWith?: string
}

const requests =
  (connections: number, body: () => Body, model?: string, sdk?: Sdk) => (started: StartedGateway, seconds: number) =>
    runWrk(chatTarget(started, body(), model, false, sdk), connections, seconds)

const streams = (connections: number, model: string, rampMs: number) => (started: StartedGateway, seconds: number) =>
  runStreams({
    target: chatTarget(started, makeQuestion(), model, true),
    connections,
    seconds,
    rampMs,
    events: STREAM_CHUNKS,
  })

// What costs a gateway of another kind by the byte is seen with `code`, `messages`, `tools` and `agent1mb`.
const isNoPeer = ({ kind }: Gateway) => kind !== 'peer'

const large = (name: BodyName, title: string): Scenario & { unit: 'request' } => ({
  name,
  title: `16 connections, ${title}`,
  unit: 'request',
  run: requests(16, () => bodyOf(name), MODELS.json),
})

// The default temperature lets answers differ, so nothing is kept: a call to a gateway with a cache that is forwarded all the same.
const forwarded = () => ({ ...makeQuestion(), temperature: 1 })
const kept = () => ({ ...makeQuestion(), temperature: 0 })

/** All that can be measured, in the order of the report. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'c64',
    title: '64 connections, 1 KB questions',
    unit: 'request',
    run: requests(64, makeQuestion, MODELS.json),
  },
  {
    name: 'c64-python',
    title: '64 connections, 1 KB questions, the headers of openai-python',
    unit: 'request',
    run: requests(64, makeQuestion, MODELS.json, 'python'),
    onlyFor: isNoPeer,
  },
  { name: 'c1', title: '1 connection, 1 KB questions', unit: 'request', run: requests(1, makeQuestion, MODELS.json) },
  large('code', '100 KB of code in one message'),
  large('messages', '100 KB in 450 small messages, an agent’s transcript'),
  large('tools', '100 tools, 100 KB of JSON schemas'),
  { ...large('prose', '100 KB of English prose'), onlyFor: isNoPeer },
  { ...large('chinese', '100 KB of Chinese'), onlyFor: isNoPeer },
  { ...large('image', '100 KB, a picture as a data URL'), onlyFor: isNoPeer },
  large('agent1mb', '1 MB, an agent’s transcript with files and 40 tools'),
  { ...large('agent2mb', '2 MB, an agent’s transcript with files and 40 tools'), onlyFor: isNoPeer },
  { name: 'flat', title: '64 streams of 50 chunks, flat out', unit: 'chunk', run: streams(64, MODELS.flat, 200) },
  {
    name: 'live200',
    title: '200 live streams, 20 ms between chunks',
    unit: 'chunk',
    // As long as one stream lasts: from then on all are open, and starts are spread as they ended.
    run: streams(200, MODELS.live, 1000),
  },
  {
    name: 'live',
    title: '600 live streams, 20 ms between chunks',
    unit: 'chunk',
    run: streams(600, MODELS.live, 1000),
  },
  {
    name: 'rate500',
    title: '500 requests/s, 1 KB questions',
    unit: 'request',
    run: (started, seconds) => runFixedRate(chatTarget(started, makeQuestion(), MODELS.json), 500, seconds),
  },
  {
    name: 'nomodel',
    title: '64 connections, a model put in by the gateway',
    unit: 'request',
    run: requests(64, makeQuestion),
    onlyFor: (gateway) => gateway.fillsModel,
    comparedWith: 'c64',
  },
  {
    name: 'auth',
    title: '64 connections, REQUIRE_AUTH=true',
    unit: 'request',
    run: requests(64, makeQuestion, MODELS.json),
    setup: 'auth',
    comparedWith: 'c64',
  },
  {
    ...large('messages', '100 KB in 450 small messages, with models, a fallback and a rule'),
    name: 'messages-models',
    setup: 'models',
    onlyFor: isNoPeer,
    comparedWith: 'messages',
  },
  {
    ...large('tools', '100 tools, 100 KB of JSON schemas, with models, a fallback and a rule'),
    name: 'tools-models',
    setup: 'models',
    onlyFor: isNoPeer,
    comparedWith: 'tools',
  },
  {
    name: 'forwarded',
    title: '64 connections, a cache that keeps nothing of it',
    unit: 'request',
    run: requests(64, forwarded, MODELS.json),
    setup: 'cache',
    comparedWith: 'c64',
  },
  {
    name: 'hit',
    title: '64 connections, hits of a cache in memory',
    unit: 'request',
    run: requests(64, kept, MODELS.json),
    setup: 'cache',
    comparedWith: 'forwarded',
  },
  {
    name: 'token',
    title: '64 connections, one token, an upstream of a file',
    unit: 'request',
    run: requests(64, makeQuestion, MODELS.json),
    setup: 'token',
    onlyFor: isNoPeer,
    comparedWith: 'auth',
  },
  {
    name: 'token-flat',
    title: '64 streams of 50 chunks, flat out, with one token and an upstream of a file',
    unit: 'chunk',
    run: streams(64, MODELS.flat, 200),
    setup: 'token',
    onlyFor: isNoPeer,
    comparedWith: 'flat',
  },
  {
    name: 'metered',
    title: '64 connections, a key with rates and budgets',
    unit: 'request',
    run: requests(64, makeQuestion, MODELS.json),
    setup: 'metered',
    onlyFor: isNoPeer,
    comparedWith: 'token',
  },
  {
    name: 'metered-flat',
    title: '64 streams of 50 chunks, flat out, of a key with rates and budgets',
    unit: 'chunk',
    run: streams(64, MODELS.flat, 200),
    setup: 'metered',
    onlyFor: isNoPeer,
    comparedWith: 'token-flat',
  },
]
