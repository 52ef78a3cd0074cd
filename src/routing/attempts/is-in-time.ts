import type { Deployment } from '../targets/router.ts'
import type { AskDeps, RoutedRequest } from './routed-request.ts'

/** Whether a deployment's usual time to first byte, after a wait, fits in before its time, or its client's, is up. */
export function isInTime(
  deployment: Deployment,
  waitMs: number,
  { dueAt }: Pick<RoutedRequest, 'dueAt'>,
  { now }: AskDeps,
): boolean {
  const due = dueAt(deployment)
  return due === Number.POSITIVE_INFINITY || now() + waitMs + (deployment.health.percentile(50) ?? 0) < due
}
