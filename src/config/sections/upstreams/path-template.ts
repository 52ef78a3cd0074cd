import { suggest } from '../../../formats/text/nearest.ts'
import type { Fault } from '../../scalar-kinds.ts'

const PLACEHOLDERS: readonly string[] = ['{model}', '{path}']

/** The fault of a template of an upstream's paths, such as `/deployments/{model}{path}`; undefined: none. */
export function pathTemplateFault(template: string): Fault | undefined {
  const pathFault = urlPathFault(template)
  if (pathFault !== undefined) return pathFault
  const places = template.match(/\{[^{}]*\}/g) ?? []
  const unknown = places.find((place) => !PLACEHOLDERS.includes(place))
  if (unknown !== undefined) {
    return { wrong: 'has a placeholder that is not known', cure: suggest(unknown, PLACEHOLDERS, '') }
  }
  if (/[{}]/.test(template.replace(/\{[^{}]*\}/g, ''))) {
    return { wrong: 'has a brace that is no part of {model} or {path}', cure: 'Take it out.' }
  }
  if (new Set(places).size < places.length) return { wrong: 'has a placeholder twice', cure: 'Take one of them out.' }
  if (template.includes('/{path}')) {
    return { wrong: 'has a slash before {path}', cure: 'Take the slash out: {path} begins with one.' }
  }
  if (template.endsWith('/')) return { wrong: 'ends with a slash', cure: 'End it with {path}, or without the slash.' }
  return undefined
}

/** The fault of a path that is put behind a base URL; undefined: none. */
export function urlPathFault(path: string): Fault | undefined {
  if (!path.startsWith('/') || path.startsWith('//')) {
    return { wrong: 'does not begin with one slash', cure: 'Begin it with one.' }
  }
  if (/[\s\\#?\p{Cc}]/u.test(path)) {
    return { wrong: 'has a character in it that no path has', cure: 'Take out spaces, "?", "#" and backslashes.' }
  }
  return /\/\.{1,2}(\/|$)/.test(path) ? { wrong: 'leads upwards', cure: 'Take out the "..".' } : undefined
}
