import type { Config } from '../../config/config.ts'
import { freeze } from '../../config/freeze.ts'
import { closeSecrets, openSecrets } from '../../config/open-secrets.ts'
import type { WorkersState } from '../../server/routes/health.ts'
import type { Claim, ClaimEnd, ClaimTimes, Standing, Taken } from '../../storage/claims.ts'
import type { ConfigurationPart } from '../gateway.ts'

/** A signal that ends a server. */
export type EndSignal = 'SIGTERM' | 'SIGINT'

declare const packed: unique symbol

/** A configuration on its way to another process of ours, with its secrets open. */
export type PackedConfig = { readonly [packed]: true }

/**
 * Makes a configuration fit to be sent to another process of ours.
 *
 * @example
 * child.send({ kind: 'configuration', part, config: packConfig(config) })
 */
export function packConfig(config: Config): PackedConfig {
  return openSecrets(config) as PackedConfig
}

/**
 * Makes the configuration again of what has been sent.
 *
 * @example
 * const config = unpackConfig(message.config)
 */
export function unpackConfig(sent: PackedConfig): Config {
  return freeze(closeSecrets<Config>(sent))
}

/** What a worker wants done to the claims that its supervisor keeps. */
export type ClaimsCall =
  | { readonly to: 'take'; readonly claim: Claim; readonly times: ClaimTimes }
  | { readonly to: 'look'; readonly id: string }
  | { readonly to: 'end'; readonly claim: Claim; readonly end: ClaimEnd; readonly times: ClaimTimes }
  | { readonly to: 'release'; readonly claim: Claim }

/** It, on its way; `number` is its answer's, too. */
export interface ClaimsQuestion {
  readonly kind: 'claims'
  readonly number: number
  readonly call: ClaimsCall
}

/** What has come of it. */
export interface ClaimsAnswer {
  readonly kind: 'claimed'
  readonly number: number
  readonly said: Taken | Standing | undefined
}

/** The first message to a worker, with all that it needs. */
export interface StartMessage {
  readonly kind: 'start'
  /** From 1. */
  readonly worker: number
  /** With the worker's share of what is limited for all, and the port that the first worker was given. */
  readonly config: PackedConfig
  readonly state: WorkersState
}

/**
 * What a supervisor tells a worker.
 *
 * Numbers that are to be added up over all workers, such as metrics, belong here too: one more kind that asks each
 * worker for its own, and one below that answers.
 */
export type ToWorker =
  | StartMessage
  /** How the workers are, at each change. */
  | { readonly kind: 'state'; readonly state: WorkersState }
  /** A part of another configuration, already its share of that. */
  | { readonly kind: 'configuration'; readonly part: ConfigurationPart; readonly config: PackedConfig }
  | { readonly kind: 'drain'; readonly signal: EndSignal }
  | ClaimsAnswer
  /** Does its event loop turn? */
  | { readonly kind: 'ping' }
  /** At once, with this exit code. */
  | { readonly kind: 'end'; readonly code: number }

/** What a worker tells its supervisor. */
export type FromWorker =
  | { readonly kind: 'listening'; readonly port: number }
  | ClaimsQuestion
  /** It does. */
  | { readonly kind: 'pong' }
  /** It has drained and is about to exit; `isComplete`: every request came to its own end. */
  | { readonly kind: 'stopped'; readonly isComplete: boolean }
