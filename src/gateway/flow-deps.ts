import { createAdmission } from '../access/admission.ts'
import { createFailingRepeats } from '../access/failing-repeats.ts'
import { isLocalCaller, lendsToLocal } from '../access/local-caller.ts'
import { maskAnswers } from '../answers/mask-answers.ts'
import type { Cassettes } from '../cassettes/cassettes.ts'
import type { Config } from '../config/config.ts'
import { MemoryBudget } from '../exchange/memory-budget.ts'
import type { Stage } from '../exchange/stage.ts'
import type { Books } from '../ledger/books.ts'
import { ApiError } from '../openai/api-error.ts'
import { isAdministration } from '../openai/endpoint-path.ts'
import { createRetryBudget } from '../routing/attempts/retry-budget.ts'
import { createRememberedIds } from '../routing/remembered-ids.ts'
import type { Log } from '../telemetry/log.ts'
import { createDeadlines, createSleep, type Deadlines } from '../timing/deadlines.ts'
import { createLoopGuard } from '../upstream/loop-guard.ts'
import { createSend, type Send, type UpstreamFetch } from '../upstream/send.ts'
import type { FlowDeps } from './stages.ts'

/** The inputs from outside the gateway: the configuration, and the functions of the platform. */
export interface ServerDeps {
  readonly config: Config
  readonly version: string
  readonly log: Log
  readonly fetch: UpstreamFetch
  /** Tells this process's own lack of descriptors from an upstream's failure; absent: the error of `fetch` is taken as it is. */
  readonly diagnoseConnectFailure?: (cause: unknown) => unknown
  readonly sha256: (data: string | Uint8Array) => Uint8Array
  /** The ledger with all that callers are known and metered by; absent: there is none. */
  readonly books?: Books
  /** The clock of all time limits; one of its own where absent. */
  readonly deadlines?: Deadlines
  /** More stages around the flow of each request, behind the places. */
  readonly stages?: readonly Stage[]
  /** Recording and replaying; absent: neither. */
  readonly cassettes?: Cassettes
}

/** Stands in for the egress where nothing may go upstream. */
const sendNothing: Send = () => Promise.reject(new ApiError('upstream_unreachable', { cause: 'only cassettes answer' }))

/**
 * Makes the dependencies of the flow. All requests share them, and they outlive every reload: places, memory, remembered ids, the
 * one egress.
 *
 * @example
 * const flowDeps = createFlowDeps({ config, version, log, fetch, sha256 })
 */
export function createFlowDeps(deps: ServerDeps) {
  const { config, log, sha256, cassettes, deadlines = createDeadlines() } = deps
  const { limits, server, timeouts } = config
  const now = performance.now.bind(performance)
  const admission = createAdmission(limits)
  const isLending = lendsToLocal(config)
  return {
    log,
    now,
    random: Math.random,
    deadlines,
    sleep: createSleep(deadlines),
    limits,
    timeouts,
    ssePingMs: config.ssePingMs,
    defaultModel: config.defaultModel,
    userAgent: `NexCode/${deps.version}`,
    admission,
    reading: { bytesMax: limits.jsonBytesMax, memory: new MemoryBudget(limits.memoryBytesMax) },
    repeats: createFailingRepeats({ max: limits.failedRepeatsMax, now, sha256, log }),
    loops: createLoopGuard(),
    ids: createRememberedIds({ sha256 }),
    retryBudget: createRetryBudget(admission.inFlight),
    hedgeBudget: createRetryBudget(admission.inFlight, 1),
    mayBorrow: (exchange) =>
      isLending && !isAdministration(exchange.requestTarget) && isLocalCaller(exchange, server.corsOrigins),
    send: cassettes?.isClosed === true ? sendNothing : createMaskedSend(deps, deadlines),
    cassettes,
    stages: deps.stages,
  } satisfies Omit<FlowDeps, 'metering'>
}

function createMaskedSend({ config, fetch, diagnoseConnectFailure }: ServerDeps, deadlines: Deadlines): Send {
  const { firstByteMs } = config.timeouts
  return maskAnswers(createSend({ fetch, deadlines, firstByteMs, diagnoseConnectFailure }), deadlines)
}
