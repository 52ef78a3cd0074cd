import type { Lane } from '../targets/router.ts'
import type { Asked } from './asked.ts'

/** The lanes of a route, in its order, that a request has not tried yet and may ask now. */
export function others(
  lanes: readonly Lane[],
  tried: ReadonlySet<Lane>,
  { accountOf }: Pick<Asked, 'accountOf'>,
): readonly Lane[] {
  if (lanes.length === 1) return NONE
  return lanes.filter((lane) => !tried.has(lane) && lane.health.isAvailable(accountOf(lane)))
}

const NONE: readonly Lane[] = []
