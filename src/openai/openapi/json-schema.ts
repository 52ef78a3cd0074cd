import type { TSchema } from '@sinclair/typebox'

/** A JSON Schema (2020-12) as plain data: the keywords that NexCode's own schemas use, and any other. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly deprecated?: boolean
  readonly const?: unknown
  readonly examples?: readonly unknown[]
  readonly pattern?: string
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly [keyword: string]: unknown
}

/**
 * Gives a TypeBox schema as plain JSON Schema: without its symbols, and without `x-noun`, which words our errors.
 *
 * @example
 * const schemas = { CompletionRequest: toJsonSchema(CompletionRequest) }
 */
export function toJsonSchema(schema: TSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema, (key, value: unknown) => (key === 'x-noun' ? undefined : value)))
}
