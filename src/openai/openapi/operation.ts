import type { JsonSchema } from './json-schema.ts'

/** Points to a component (OpenAPI 3.1.1, Reference Object). */
export interface Reference {
  readonly $ref: string
}

/** OpenAPI 3.1.1, Server Object. */
export interface Server {
  readonly url: string
  readonly description?: string
}

/** OpenAPI 3.1.1, Example Object. */
export interface Example {
  readonly summary: string
  readonly description?: string
  readonly value: unknown
}

/** OpenAPI 3.1.1, Media Type Object. */
export interface MediaType {
  readonly schema?: JsonSchema
  readonly examples?: Readonly<Record<string, Example | Reference>>
}

/** OpenAPI 3.1.1, Request Body Object. */
export interface RequestBody {
  readonly description?: string
  readonly required?: boolean
  readonly content: Readonly<Record<string, MediaType>>
}

/** OpenAPI 3.1.1, Header Object. */
export interface ResponseHeader {
  readonly description: string
  readonly schema: JsonSchema
}

/** OpenAPI 3.1.1, Response Object. */
export interface ResponseShape {
  readonly description: string
  readonly headers?: Readonly<Record<string, ResponseHeader | Reference>>
  readonly content?: Readonly<Record<string, MediaType>>
}

/** The groups that operations are shown in. */
export type Tag = 'Completions' | 'Messages' | 'Passthrough' | 'Administration' | 'Health'

/** OpenAPI 3.1.1, Parameter Object of a path. */
export interface PathParameter {
  readonly name: string
  readonly in: 'path'
  readonly required: true
  readonly schema: JsonSchema
}

/** OpenAPI 3.1.1, Operation Object. */
export interface Operation {
  readonly operationId: string
  readonly tags: readonly Tag[]
  readonly summary: string
  readonly description: string
  /** Empty: open to all; absent: the document's own default. */
  readonly security?: readonly []
  readonly parameters?: readonly PathParameter[]
  readonly requestBody?: RequestBody
  readonly responses: Readonly<Record<string, ResponseShape | Reference>>
}

/** OpenAPI 3.1.1, Path Item Object. */
export interface PathItem {
  readonly servers?: readonly Server[]
  readonly get?: Operation
  readonly post?: Operation
  readonly delete?: Operation
}

/** Operations by path. */
export type Paths = Readonly<Record<string, PathItem>>
