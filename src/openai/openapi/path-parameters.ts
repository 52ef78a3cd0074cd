import type { PathParameter } from './operation.ts'

/**
 * The parameters of a path template, each one segment of text.
 *
 * @example
 * parametersOf('/projects/{project_id}') // [{ name: 'project_id', in: 'path', … }]
 */
export function parametersOf(path: string): readonly PathParameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}
