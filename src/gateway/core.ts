import type { Admission } from '../access/admission.ts'
import type { Settings } from '../config/settings.ts'
import type { Exchange, Observer } from '../exchange/exchange.ts'
import type { MemoryBudget } from '../exchange/memory-budget.ts'
import type { Handler } from '../exchange/stage.ts'
import type { LoadedExtension } from '../extensions/load/load-extensions.ts'
import type { Metering, MeteringDeps } from '../metering/metering.ts'
import { createSnapshot } from '../routing/snapshot.ts'
import type { DeploymentState } from '../routing/targets/deployment.ts'
import type { RouterDeps } from '../routing/targets/router.ts'
import type { Log } from '../telemetry/log.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { Send } from '../upstream/send.ts'
import { createFlowDeps, type ServerDeps } from './flow-deps.ts'
import { createPartsMaker, type Generation, type PartsDeps } from './generation.ts'
import { createHealthChecks } from './health-checks.ts'
import { answerModels } from './list-models.ts'
import { composeEntry, composeFlow } from './stages.ts'

/** The dependencies of the core. */
export interface CoreDeps extends ServerDeps {
  /** Opens the store of answers, with a guard around it; throws where it can't be opened. Absent: no answer is kept. */
  readonly openStore?: NonNullable<PartsDeps['openStore']>
  /** Makes the metering of callers by the settings in force. Needed beside a ledger, and loaded for one alone. */
  readonly createMetering?: (settings: MeteringDeps['settings']) => Metering
  /** The user's own logic, loaded. */
  readonly extensions?: readonly LoadedExtension[]
}

/** The gateway below HTTP: it serves requests whose caller is known, by the settings in force. */
export interface Core {
  /** Answers an exchange by the settings in force; throws, or rejects with, an `ApiError`. */
  readonly flow: Handler
  /** Answers `GET /v1/models` where the settings name models; undefined: the request goes to the flow. */
  readonly answerModels: (exchange: Exchange) => Response | Promise<Response> | undefined
  /** The settings in force. */
  readonly settings: () => Settings
  /** The states of the targets, as this process knows them; undefined: no file names any, or nothing goes upstream. */
  readonly targets: () => readonly DeploymentState[] | undefined
  /** Hears how each exchange ends, to bound failing repeats. */
  readonly repeats: Observer
  readonly admission: Admission
  readonly memory: MemoryBudget
  /** The clock of all time limits. */
  readonly deadlines: Deadlines
  /** The one egress. */
  readonly send: Send
  /** Puts other settings in force, for requests from now on. Throws, and changes nothing, when they can't be used. */
  readonly apply: (settings: Settings, extensions?: readonly LoadedExtension[]) => void
  /** Starts the active health checks of upstreams. */
  readonly start: () => void
  /** Stops them for good. */
  readonly stop: () => void
  /** Waits for work that goes on behind answers, and closes stores. */
  readonly close: () => Promise<void>
}

/**
 * Makes the gateway below HTTP. A reload replaces its generation and its flow; all else lasts as long as the process.
 *
 * Throws a `StoreError` where the store can't be opened.
 *
 * @example
 * const core = createCore({ config, version, log, fetch, sha256 })
 * const response = await core.flow(exchange)
 */
export function createCore(deps: CoreDeps): Core {
  const { config, log, sha256, openStore } = deps
  // With closed cassettes nothing goes upstream, not even the question for a list of models.
  const isOffline = deps.cassettes?.isClosed === true
  const metering = deps.createMetering?.(() => generation.settings)
  const flowDeps = { ...createFlowDeps(deps), metering }
  const { now, random, deadlines, admission, repeats, reading } = flowDeps
  const routing: RouterDeps = { now, random, deadlines, onBreaker: tellBreaker(log) }
  const makeParts = createPartsMaker({ ...flowDeps, sha256, ...(openStore !== undefined && { openStore }) })

  let parts = makeParts(config.settings, deps.extensions)
  let generation: Generation = { ...createSnapshot(config.settings, routing), ...parts }
  let flow = composeFlow(generation, flowDeps)

  const listing = { ...flowDeps, generation: () => generation }
  const checks = createHealthChecks(flowDeps)
  const start = (): void => {
    if (!isOffline) checks.watch(generation)
  }
  return {
    flow: composeEntry(flowDeps, (exchange) => flow(exchange)),
    answerModels: (exchange) => answerModels(exchange, listing),
    settings: () => generation.settings,
    targets: () => (generation.settings.hasFile && !isOffline ? generation.router.states() : undefined),
    repeats,
    admission,
    memory: reading.memory,
    deadlines,
    send: flowDeps.send,
    apply(settings, extensions) {
      // The parts come first, because making them may throw: then all stays as it was.
      parts = makeParts(settings, extensions, parts)
      generation = { ...createSnapshot(settings, routing, generation), ...parts }
      flow = composeFlow(generation, flowDeps)
      start()
    },
    start,
    stop: checks.stop,
    async close() {
      await parts.chain.settle()
      // Calls that run on without their client keep their answers, too, before the store is closed.
      await parts.idempotency.idle()
      await parts.stageSources?.close()
    },
  }
}

/** Makes the listener that logs when a target's breaker opens, and when it closes. */
function tellBreaker(log: Log): NonNullable<RouterDeps['onBreaker']> {
  return (target, { state, forMs }) => {
    if (state === 'open') log.warn({ target, open_ms: forMs }, 'a breaker opened: the target is left alone for a while')
    else log.info({ target }, 'a breaker closed: the target answers again')
  }
}
