import { endpointOf } from './endpoint-of.ts'
import { endpointPath } from './endpoint-path.ts'

/** `projects` is where OpenAI has the roles of projects. */
const RESOURCES = /^(?:organization|projects)(?:\/|$)/

/**
 * Whether a request target is one of OpenAI's Administration API, in whatever spelling an upstream might read it as one: with the key of an
 * account, keys can be made by it.
 *
 * @example
 * isAdministration('/v1/organization/projects?limit=5') // true
 */
export function isAdministration(target: string): boolean {
  return RESOURCES.test(endpointPath(endpointOf(target)))
}
