import type { Gateway } from './gateways/gateway.ts'
import { runFixedRate } from './load/fixed-rate.ts'
import type { RequestFigures, StreamFigures } from './load/load.ts'
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
  /** Whether it runs against the gateway that was started with `requireAuth`. */
  readonly requireAuth?: boolean
  /** Whose figures stand in its table, where it is not everybody's; the others' are those of the named scenario. */
  readonly onlyFor?: (gateway: Gateway) => boolean
  readonly comparedWith?: string
}

const KB = 1000
const MB = 1_000_000

const requests =
  (connections: number, promptBytes: number, model?: string) => (started: StartedGateway, seconds: number) =>
    runWrk(chatTarget(started, promptBytes, model), connections, seconds)

const streams = (connections: number, model: string, rampMs: number) => (started: StartedGateway, seconds: number) =>
  runStreams({ target: chatTarget(started, KB, model, true), connections, seconds, rampMs, events: STREAM_CHUNKS })

/** All that can be measured, in the order of the report. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'c64', title: '64 connections, 1 KB prompts', unit: 'request', run: requests(64, KB, MODELS.json) },
  { name: 'c1', title: '1 connection, 1 KB prompts', unit: 'request', run: requests(1, KB, MODELS.json) },
  { name: '100kb', title: '16 connections, 100 KB prompts', unit: 'request', run: requests(16, 100 * KB, MODELS.json) },
  { name: '1mb', title: '16 connections, 1 MB prompts', unit: 'request', run: requests(16, MB, MODELS.json) },
  { name: 'flat', title: '64 streams of 50 chunks, flat out', unit: 'chunk', run: streams(64, MODELS.flat, 200) },
  {
    name: 'live',
    title: '600 live streams, 20 ms between chunks',
    unit: 'chunk',
    // As long as one stream lasts: from then on all are open, and starts are spread as they ended.
    run: streams(600, MODELS.live, 1000),
  },
  {
    name: 'rate500',
    title: '500 requests/s, 1 KB prompts',
    unit: 'request',
    run: (started, seconds) => runFixedRate(chatTarget(started, KB, MODELS.json), 500, seconds),
  },
  {
    name: 'nomodel',
    title: '64 connections, a model put in by the gateway',
    unit: 'request',
    run: requests(64, KB),
    onlyFor: (gateway) => gateway.fillsModel,
    comparedWith: 'c64',
  },
  {
    name: 'auth',
    title: '64 connections, REQUIRE_AUTH=true',
    unit: 'request',
    run: requests(64, KB, MODELS.json),
    requireAuth: true,
    onlyFor: (gateway) => gateway.hasAuth,
    comparedWith: 'c64',
  },
]
