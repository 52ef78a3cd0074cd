import { createCacheStage, createIdempotencyStage } from '../cache/stages.ts'
import type { Cassettes } from '../cassettes/cassettes.ts'
import { type CassetteStageDeps, createCassetteStage } from '../cassettes/stage.ts'
import type { Handler, Stage } from '../exchange/stage.ts'
import { createExtensionStage } from '../extensions/stage.ts'
import type { Ask, AskStage } from '../requests/prepared-request.ts'
import type { LoopGuard } from '../upstream/loop-guard.ts'
import { askTargets } from './ask-targets.ts'
import type { Generation } from './generation.ts'
import { type HandleDeps, handle } from './handle.ts'
import { type TakePlaceDeps, takePlace } from './take-place.ts'
import { type UpgradeDeps, upgrade } from './upgrade.ts'

/** The dependencies of the flow and its stages. */
export interface FlowDeps extends HandleDeps, UpgradeDeps, TakePlaceDeps, CassetteStageDeps {
  /** Recording and replaying; undefined: neither. */
  readonly cassettes: Cassettes | undefined
  readonly loops: LoopGuard
  /** Further stages around the flow, behind the places. */
  readonly stages?: readonly Stage[] | undefined
}

/**
 * Puts the stages that are switched on around the flow: to be done once for each reload. Of the outer ones, the first sees a request
 * first, and its answer last; those around the asking see a request that is ready to go upstream.
 *
 * @example
 * const flow = composeFlow(generation, deps)
 * const response = await flow(exchange)
 */
export function composeFlow(generation: Generation, deps: FlowDeps): Handler {
  const { chain, stageSources, mayLoop, settings } = generation
  const { cassettes, stages = [] } = deps
  const askStages: readonly AskStage[] =
    stageSources === undefined
      ? []
      : [createIdempotencyStage(stageSources, settings), createCacheStage(stageSources, settings)].filter(isOn)
  const recall = askStages.find((stage) => stage.recall !== undefined)?.recall
  const core = createCoreAsk(deps)
  const flow = { generation, askStages, recall, core, ask: compose(askStages, core) }
  return compose(
    [
      ...stages,
      mayLoop ? createLoopStage(deps.loops) : undefined,
      cassettes === undefined ? undefined : createCassetteStage(cassettes, deps),
      chain.isEmpty ? undefined : createExtensionStage(chain, deps),
    ].filter(isOn),
    (exchange) => (exchange.isUpgrade ? upgrade(exchange, generation, deps) : handle(exchange, flow, deps)),
  )
}

/** Makes the function that asks the targets, once what the call may cost is reserved where there is a ledger. */
function createCoreAsk(deps: FlowDeps): Ask {
  const { metering } = deps
  const ask: Ask = (request) => askTargets(request, deps)
  return metering === undefined ? ask : (request) => metering.ask(request, ask)
}

/**
 * Puts the places before a flow. They outlive reloads: a request that waits for its body goes by the settings that are in force once it has
 * its place.
 *
 * @example
 * const enter = composeEntry(flowDeps, (exchange) => flow(exchange))
 */
export function composeEntry(deps: TakePlaceDeps, flow: Handler): Handler {
  return compose([createPlaceStage(deps)], flow)
}

/** Puts stages around a handler, the first one outermost. To be done once for many requests. */
function compose<T>(stages: readonly Stage<T>[], core: Handler<T>): Handler<T> {
  return stages.reduceRight<Handler<T>>((next, stage) => (one) => stage.run(one, next), core)
}

function isOn<S>(stage: S | undefined): stage is S {
  return stage !== undefined
}

/** Gives each exchange a place, for as long as it lasts. */
function createPlaceStage(deps: TakePlaceDeps): Stage {
  return {
    name: 'places',
    run(exchange, next) {
      const taking = takePlace(exchange, deps)
      // A promise for each step would cost more than the step.
      return taking === undefined ? next(exchange) : taking.then(() => next(exchange))
    },
  }
}

/** Refuses requests that have gone round too often (`upstream/loop-guard.ts`). */
function createLoopStage(loops: LoopGuard): Stage {
  return {
    name: 'loops',
    run(exchange, next) {
      loops.watch(exchange)
      return next(exchange)
    },
  }
}
