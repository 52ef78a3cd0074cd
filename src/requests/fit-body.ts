import { endpointOf } from '../openai/endpoint-of.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import { editBody, type ModelName, type OutgoingBody } from './outgoing-body.ts'

/** A body without the parameters that the server of its deployment is known to refuse. */
export interface FittedBody {
  readonly body: Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>
  /** The parameters that were left out, as `x-nexcode-params` gives them. */
  readonly receipt: string
}

/**
 * Removes from an outgoing body the parameters that the server of a deployment is known to refuse; undefined: the body has none of them.
 * `model` is the model that the deployment has to read, `target` the caller's request target.
 *
 * @example
 * const fitted = fitBody(outgoing, deployment, outgoing.modelFor(deployment), exchange.requestTarget, snapshot)
 */
export function fitBody(
  outgoing: OutgoingBody,
  deployment: Deployment,
  model: ModelName,
  target: string,
  { fitOf }: Snapshot,
): FittedBody | undefined {
  const fit = fitOf(deployment.upstream)
  const text = fit === undefined ? undefined : outgoing.textFor(model)
  if (fit === undefined || text === undefined) return undefined
  const { edits, receipt } = fit(text, endpointOf(target))
  return edits.length === 0 ? undefined : { body: editBody(text, edits), receipt }
}

const OF_PRESET = /(?:^|; )preset=[^;]*$/

/**
 * Replaces the part of `params` that tells what was left out for another deployment by the `receipt` of this one; empty: nothing was left
 * out.
 */
export function withPresetsPart(params: string, receipt: string): string {
  const others = params.replace(OF_PRESET, '')
  return others === '' || receipt === '' ? others + receipt : `${others}; ${receipt}`
}
