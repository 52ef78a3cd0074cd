import type { JsonSchema } from './json-schema.ts'
import type { Operation, PathItem, Paths, ResponseShape } from './operation.ts'

const LIVENESS = ['/health', '/healthz', '/livez', '/health/liveliness', '/health/liveness'] as const
const READINESS = ['/ready', '/readyz', '/health/readiness'] as const

/**
 * The health endpoints, which stand beside `/v1`, need no key and never call a model.
 *
 * @example
 * const paths = { ...createHealthPaths() }
 */
export function createHealthPaths(): Paths {
  return Object.fromEntries([
    ...LIVENESS.map((path) => [path, healthPath(path, 'Whether the process lives', { 200: answer('ok') })]),
    ...READINESS.map((path) => [
      path,
      healthPath(path, 'Whether new requests are taken', { 200: answer('ready'), 503: answer('draining') }),
    ]),
  ])
}

function healthPath(path: string, summary: string, responses: Operation['responses']): PathItem {
  return {
    servers: [{ url: '/' }],
    get: {
      operationId: path.slice(1).replace('/', '_'),
      tags: ['Health'],
      summary,
      description: `${summary}: open to all, answered without calling the upstream.`,
      security: [],
      responses,
    },
  }
}

function answer(status: string): ResponseShape {
  const schema: JsonSchema = { type: 'object', required: ['status'], properties: { status: { const: status } } }
  return { description: `The server is ${status}.`, content: { 'application/json': { schema } } }
}
