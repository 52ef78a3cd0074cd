import type { Deployment } from '../targets/router.ts'
import type { RoutedRequest } from './routed-request.ts'

/** The deployments of a route, in its order, that a request has not tried yet and may ask now. */
export function others(
  deployments: readonly Deployment[],
  tried: ReadonlySet<Deployment>,
  { accountOf }: Pick<RoutedRequest, 'accountOf'>,
): readonly Deployment[] {
  if (deployments.length === 1) return NONE
  return deployments.filter(
    (deployment) => !tried.has(deployment) && deployment.health.isAvailable(accountOf(deployment)),
  )
}

const NONE: readonly Deployment[] = []
