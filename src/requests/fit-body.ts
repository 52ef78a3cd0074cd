import { endpointOf } from '../openai/endpoint-of.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Deployment } from '../routing/targets/router.ts'
import { editBody, type ModelName, type OutgoingBody } from './outgoing-body.ts'

/** A body without what the server of its deployment is known to refuse. */
export interface FittedBody {
  readonly body: Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>
  /** What was left out, as `x-nexcode-params` has it. */
  readonly receipt: string
}

/**
 * Leaves out of an outgoing body what the server of a deployment is known to refuse; undefined: there is nothing of the kind in it.
 * `model` is what the deployment is to read as the model, `target` the caller's request target.
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

/** Tells in place of what was left out for another deployment what is left out for this one; empty: nothing. */
export function withPresetsPart(params: string, receipt: string): string {
  const others = params.replace(OF_PRESET, '')
  return others === '' || receipt === '' ? others + receipt : `${others}; ${receipt}`
}
