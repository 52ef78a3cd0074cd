import { ApiError } from '../../openai/api-error.ts'
import type { Deadline } from '../../timing/deadlines.ts'
import type { Deployment } from '../targets/router.ts'
import type { AskDeps, RoutedRequest } from './routed-request.ts'

/**
 * Starts the clock of an attempt that another one may follow when its time is up: of what is left of the client's time it
 * has half, or as much as the deployment's answers usually take (95 % of the recent ones), where what remains is enough for the
 * next one's. Then the attempt is ended by `abort`, and not the exchange. Without a clock of the client's there is none.
 */
export function shareTime(
  { clientDueAt }: Pick<RoutedRequest, 'clientDueAt'>,
  [deployment, next]: readonly [Deployment, Deployment],
  abort: AbortController,
  { deadlines, now }: Pick<AskDeps, 'deadlines' | 'now'>,
): Deadline {
  const leftMs = clientDueAt() - now()
  const shareMs = Number.isFinite(leftMs) ? Math.max(1, shareOf(leftMs, deployment, next)) : 0
  return deadlines.start(shareMs, () => abort.abort(new ApiError('client_deadline')))
}

const USUAL_PERCENT = 95

function shareOf(leftMs: number, deployment: Deployment, next: Deployment): number {
  const halfMs = leftMs / 2
  const usualMs = deployment.health.percentile(USUAL_PERCENT) ?? 0
  const nextMs = next.health.percentile(USUAL_PERCENT) ?? halfMs
  return Math.max(halfMs, Math.min(usualMs, leftMs - nextMs))
}
