import { joinCapWords } from '../config/providers/cap-words.ts'
import { OPENAI_DEFAULT_MODEL } from '../config/providers/vendor.ts'
import type { Secret } from '../config/secret.ts'
import type { UpstreamSettings } from '../config/sections/upstreams/upstream.ts'
import type { Settings } from '../config/settings.ts'
import { createFit, type FitBody } from '../params/fit-body.ts'
import { type AssertSpelling, createSpelling } from '../params/model-spelling.ts'
import { createRules, type Rules } from '../params/rules.ts'
import { createEgress, type Egress } from '../upstream/egress.ts'
import { createAccountMasks, type Mask } from '../upstream/mask.ts'
import { type AliasOf, createAliasOf } from './targets/alias-names.ts'
import { createRouter, type Router, type RouterDeps } from './targets/router.ts'

/** The settings in the form that requests use; replaced as a whole when the settings change. */
export interface Snapshot {
  readonly settings: Settings
  /** When the snapshot was made, in seconds since 1970. */
  readonly since: number
  readonly router: Router
  readonly rules: Rules
  readonly egressOf: (upstream: UpstreamSettings) => Egress
  /**
   * The mask of the secrets that go to an upstream with a call: its key, where that is spent, and those of each call; undefined: no
   * secret goes.
   */
  readonly maskOf: (upstream: UpstreamSettings, key: Secret | undefined) => Mask | undefined
  /** Removes from bodies what the upstream's server is known to refuse; undefined: it is known to refuse nothing. */
  readonly fitOf: (upstream: UpstreamSettings) => FitBody | undefined
  /** Whether the bodies for any upstream are fitted so. */
  readonly fitsBodies: boolean
  /** Whether a request's model decides its target, its path, its refusal or its rules. */
  readonly needsModel: boolean
  /** Whether a request's model decides its target, its refusal or its rules. */
  readonly modelsDecide: boolean
  /** Refuses a model's name that some servers take for another known name; undefined: no model decides anything. */
  readonly assertSpelling: AssertSpelling | undefined
  /** Refuses a model that the caller may not use, wherever a request names it; absent: it may use all. */
  readonly assertPermitted?: (model: string) => void
  /** Whether a call that names no model is one of the model that OpenAI takes then, for this caller; absent: it has to name one where models decide. */
  readonly takesDefaults?: boolean
  /** Whether rules or models decide anything about requests. */
  readonly restricts: boolean
  /** Whether bodies may have to be read that would otherwise pass through. */
  readonly readsBodies: boolean
  /**
   * How much of a long completion's body is always read: its members, with the texts that may be ids of objects, or all. What rules and
   * models decide by beyond that is read by itself (`requests/read-members.ts`).
   */
  readonly bodyDepth: 'whole' | 'members' | 'ids'
  /**
   * Whether objects' ids must be remembered: an object may be at one of several upstreams, or under one of several keys, or
   * answers about it have to give the caller's name for its model.
   */
  readonly remembersIds: boolean
  /** Finds the callers' name for an upstream's model; undefined: answers give no such names. */
  readonly aliasOf: AliasOf | undefined
  /** Whether a call may come back to this server. */
  readonly mayLoop: boolean
  /** The model of a completion that names none, where nothing else is configured; undefined: its upstream decides. */
  readonly assumedModel: string | undefined
}

/**
 * Makes a snapshot of settings. Deployments that were in `previous`, too, keep their state: breakers, places, recent times.
 *
 * @example
 * const snapshot = createSnapshot(config.settings, { now, random: Math.random, deadlines })
 */
export function createSnapshot(settings: Settings, deps: RouterDeps, previous?: Snapshot): Snapshot {
  const egresses = new Map(settings.upstreams.map((upstream) => [upstream, createEgress(upstream)]))
  const fits = new Map(
    settings.upstreams.flatMap((upstream) =>
      upstream.lacks === undefined ? [] : [[upstream, createFit(upstream.lacks)]],
    ),
  )
  const { models, unknownModels, params, upstreams } = settings
  const isRuledByModel = params.some(({ match }) => match.model !== undefined)
  const isInPath = upstreams.some(({ modelPath }) => modelPath !== undefined)
  const isSomewhere = upstreams.length > 1 || upstreams.some(({ keys }) => keys.length > 1)
  const aliasOf = createAliasOf(models)
  const remembersIds = isSomewhere || aliasOf !== undefined
  const isJudged = params.some(({ values }) => Object.hasOwn(values, 'model'))
  const modelsDecide = models.length > 0 || unknownModels === 'refuse' || isRuledByModel || isJudged
  const needsModel = modelsDecide || isInPath
  return {
    settings,
    since: Math.floor(Date.now() / 1000),
    router: createRouter(settings, deps, previous?.router),
    rules: createRules(settings.params, joinCapWords(upstreams.map(({ capWords }) => capWords))),
    maskOf: createAccountMasks(),
    fitOf: (upstream) => fits.get(upstream),
    fitsBodies: fits.size > 0,
    egressOf: (upstream) => egresses.get(upstream) ?? createEgress(upstream),
    needsModel,
    modelsDecide,
    assertSpelling: modelsDecide ? createSpelling(namesDeciding(settings)) : undefined,
    restricts: modelsDecide || params.length > 0,
    readsBodies: needsModel || params.length > 0 || remembersIds,
    bodyDepth: models.some(({ strategy }) => strategy === 'affinity') ? 'whole' : remembersIds ? 'ids' : 'members',
    remembersIds,
    aliasOf,
    mayLoop: [...egresses.values()].some((egress) => egress.mayLoop),
    assumedModel:
      upstreams.find(({ name }) => name === settings.defaultUpstream)?.vendor === 'openai'
        ? OPENAI_DEFAULT_MODEL
        : undefined,
  }
}

/** The names and patterns of models that decide anything. */
function namesDeciding({ models, params }: Settings): readonly string[] {
  return [...models.map(({ name }) => name), ...params.flatMap(({ match }) => match.model ?? [])]
}
