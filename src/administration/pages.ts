import { type TProperties, type TSchema, Type } from '@sinclair/typebox'
import type { Page } from '../ledger/ledger.ts'

/** A closed object: OpenAI's fields and ours, and no other. */
export function closedFields<T extends TProperties>(properties: T) {
  return Type.Object(properties, { additionalProperties: false })
}

/** A field that may be absent or null. */
export function orNull<T extends TSchema>(schema: T) {
  return Type.Optional(Type.Union([schema, Type.Null()]))
}

/** One of some words. */
export function oneOf<const W extends readonly string[]>(words: W) {
  return Type.Unsafe<W[number]>(Type.Union(words.map((word) => Type.Literal(word))))
}

/** How many objects a page may have. */
export const pageLimit = (maximum = 100, minimum = 1) => Type.Optional(Type.Integer({ minimum, maximum }))
/** The cursor behind which a page begins, or before which it ends. */
export const CURSOR = Type.Optional(Type.String({ maxLength: 256 }))
/** OpenAI's default of `limit`. */
export const PAGE_LIMIT = 20

/** A name that a person gives. */
export const nameField = () => Type.String({ minLength: 1, maxLength: 256 })
/** A filter by some values of a field. */
export const oneOfTexts = (maxItems = 1000) => Type.Optional(Type.Array(Type.String({ maxLength: 256 }), { maxItems }))

/** A page as OpenAI's lists have it. */
export interface ListObject {
  readonly object: 'list'
  readonly data: readonly object[]
  readonly first_id: string | null
  readonly last_id: string | null
  readonly has_more: boolean
}

/**
 * Makes OpenAI's list of a page.
 *
 * @example
 * return listObject(page, page.data.map(projectObject))
 */
export function listObject({ data, hasMore }: Page<{ readonly id: string }>, shown: readonly object[]): ListObject {
  return {
    object: 'list',
    data: shown,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
  }
}
