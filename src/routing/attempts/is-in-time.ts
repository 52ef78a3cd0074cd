import type { Deployment } from '../targets/router.ts'
import type { AskDeps, Asked } from './asked.ts'

/** Whether a deployment's usual time to first byte, after a wait, fits in before its time, or its client's, is up. */
export function isInTime(
  deployment: Deployment,
  waitMs: number,
  { dueAt }: Pick<Asked, 'dueAt'>,
  { now }: AskDeps,
): boolean {
  const due = dueAt(deployment)
  return due === Number.POSITIVE_INFINITY || now() + waitMs + (deployment.health.percentile(50) ?? 0) < due
}
