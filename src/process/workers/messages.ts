import type { Config } from '../../config/config.ts'
import { freeze } from '../../config/freeze.ts'
import { closeSecrets, openSecrets } from '../../config/open-secrets.ts'
import type { WorkersState } from '../../server/routes/health.ts'
import type { Claim, ClaimEnd, ClaimTimes, Standing, Taken } from '../../storage/claims.ts'
import type { ConfigurationPart } from '../gateway.ts'

/** A signal that ends a server. */
export type EndSignal = 'SIGTERM' | 'SIGINT'

declare const packed: unique symbol

/** A configuration on its way between supervisor and worker, with its secrets in clear. */
export type PackedConfig = { readonly [packed]: true }

/**
 * Makes a configuration fit to be sent to a worker.
 *
 * @example
 * child.send({ kind: 'configuration', part, config: packConfig(config) })
 */
export function packConfig(config: Config): PackedConfig {
  return openSecrets(config) as PackedConfig
}

/**
 * Restores a configuration that was sent.
 *
 * @example
 * const config = unpackConfig(message.config)
 */
export function unpackConfig(sent: PackedConfig): Config {
  return freeze(closeSecrets<Config>(sent))
}

/** A step that a worker takes on the claims that its supervisor keeps. */
export type ClaimsCall =
  | { readonly to: 'take'; readonly claim: Claim; readonly times: ClaimTimes }
  | { readonly to: 'look'; readonly id: string }
  | { readonly to: 'end'; readonly claim: Claim; readonly end: ClaimEnd; readonly times: ClaimTimes }
  | { readonly to: 'release'; readonly claim: Claim }

/** Such a step as a message; the answer has the same `number`. */
export interface ClaimsQuestion {
  readonly kind: 'claims'
  readonly number: number
  readonly call: ClaimsCall
}

/** The result of such a step. */
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
  /** The configuration with this worker's share of the limits, and the port of the first worker. */
  readonly config: PackedConfig
  readonly state: WorkersState
}

/**
 * The messages of a supervisor to a worker.
 *
 * Numbers to add up over all workers, such as metrics, belong here too: one more kind that asks each worker for its own,
 * and one below that answers.
 */
export type ToWorker =
  | StartMessage
  /** The state of all workers, at each change. */
  | { readonly kind: 'state'; readonly state: WorkersState }
  /** A part of another configuration, with this worker's share of its limits. */
  | { readonly kind: 'configuration'; readonly part: ConfigurationPart; readonly config: PackedConfig }
  | { readonly kind: 'drain'; readonly signal: EndSignal }
  | ClaimsAnswer
  /** Asks whether the event loop runs. */
  | { readonly kind: 'ping' }
  /** Ends the worker at once, with this exit code. */
  | { readonly kind: 'end'; readonly code: number }

/** The messages of a worker to its supervisor. */
export type FromWorker =
  | { readonly kind: 'listening'; readonly port: number }
  | ClaimsQuestion
  /** Answers a ping: the event loop runs. */
  | { readonly kind: 'pong' }
  /** The worker has drained and is about to exit; `isComplete`: every request came to its own end. */
  | { readonly kind: 'stopped'; readonly isComplete: boolean }
