import type { Lane } from '../targets/router.ts'
import type { AskDeps, Asked } from './asked.ts'

/** Whether a lane's usual time to first byte, after a wait, fits in before its time, or its client's, is up. */
export function isInTime(lane: Lane, waitMs: number, { dueAt }: Pick<Asked, 'dueAt'>, { now }: AskDeps): boolean {
  const due = dueAt(lane)
  return due === Number.POSITIVE_INFINITY || now() + waitMs + (lane.health.percentile(50) ?? 0) < due
}
