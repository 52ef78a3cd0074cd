/** The schema of a value; made by `Type`. `static` is the value's type and exists for the compiler only. */
export interface Schema<T = unknown> {
  readonly static: T
}

/** The schema of a member that may be absent. */
export interface OptionalSchema<T = unknown> extends Schema<T> {
  /** For the compiler only. */
  readonly isOptional: true
}

/** The words that every schema may have beside its type. */
export interface SchemaOptions {
  readonly description?: string
  /** Put in where the value is absent. */
  readonly default?: unknown
  readonly [keyword: string]: unknown
}

/** The members of an object's schema. */
export interface Members {
  readonly [name: string]: Schema
}

/** The names of the members that may be absent. */
export type OptionalNames<M extends Members> = {
  [Name in keyof M]: M[Name] extends OptionalSchema ? Name : never
}[keyof M]

/** The type of an object with such members. */
export type ObjectOf<M extends Members> = {
  readonly [Name in Exclude<keyof M, OptionalNames<M>>]: M[Name]['static']
} & {
  readonly [Name in OptionalNames<M>]?: M[Name]['static']
}

/**
 * Makes schemas for an extension's options. It is TypeBox's `Type`, of which the usual kinds are described here.
 *
 * @example
 * const options = Type.Object({ phrase: Type.String({ minLength: 1 }), times: Type.Optional(Type.Integer({ minimum: 1 })) })
 */
export interface TypeBuilder {
  /** Keywords such as `minLength`, `maxLength`, `pattern`. */
  String(options?: SchemaOptions): Schema<string>
  /** Keywords such as `minimum`, `maximum`. */
  Number(options?: SchemaOptions): Schema<number>
  Integer(options?: SchemaOptions): Schema<number>
  Boolean(options?: SchemaOptions): Schema<boolean>
  Literal<const V extends string | number | boolean>(value: V, options?: SchemaOptions): Schema<V>
  /** Keywords such as `minItems`, `maxItems`. */
  Array<S extends Schema>(items: S, options?: SchemaOptions): Schema<readonly S['static'][]>
  Object<M extends Members>(members: M, options?: SchemaOptions): Schema<ObjectOf<M>>
  Record<S extends Schema>(
    names: Schema<string>,
    values: S,
    options?: SchemaOptions,
  ): Schema<{ readonly [name: string]: S['static'] }>
  Union<const S extends readonly Schema[]>(members: [...S], options?: SchemaOptions): Schema<S[number]['static']>
  Optional<S extends Schema>(schema: S): OptionalSchema<S['static']>
  Unknown(options?: SchemaOptions): Schema<unknown>
}
