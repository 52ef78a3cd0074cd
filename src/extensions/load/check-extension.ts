import { KindGuard, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Extension } from '../extension.ts'

/** A problem of an extension, written as the end of a sentence that begins with its file, and its cure. */
export interface Flaw {
  readonly wrong: string
  readonly cure: string
}

const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/
const SHAPE = "Write: export default { name: 'hello', fetch(request, next, context) { return next(request) } }"

/**
 * Tells whether a module's default export is an extension.
 *
 * @example
 * const checked = checkExtension(module.default)
 */
export function checkExtension(
  value: unknown,
): { readonly extension: Extension } | { readonly flaws: readonly Flaw[] } {
  if (value === undefined) return { flaws: [{ wrong: 'has no default export', cure: `${SHAPE}.` }] }
  if (typeof value !== 'object' || value === null) {
    return {
      flaws: [{ wrong: `exports ${value === null ? 'null' : `a ${typeof value}`} as its default`, cure: SHAPE }],
    }
  }
  const flaws: Flaw[] = []
  const { name, fetch, options } = value as { readonly [key: string]: unknown }
  if (typeof name !== 'string' || !NAME.test(name)) {
    const wrong = name === undefined ? 'has no name' : 'has a name that is none'
    flaws.push({ wrong, cure: 'Give it a name of letters, digits, ".", "_" and "-", 64 at most.' })
  }
  if (typeof fetch !== 'function') {
    const wrong = fetch === undefined ? 'has no fetch' : `has a fetch that is ${nounOf(fetch)}, not a function`
    flaws.push({ wrong, cure: SHAPE })
  }
  if (options !== undefined && !isSchema(options)) {
    flaws.push({
      wrong: 'has options that are no schema',
      cure: "Write: import { Type } from 'nexcode', and options: Type.Object({ … }).",
    })
  }
  return flaws.length > 0 ? { flaws } : { extension: value as Extension }
}

/**
 * Checks an extension's options by its own schema, and puts its defaults in. Without a schema all options fit.
 *
 * A member that an object's schema does not name is a mistake, unless the schema sets `additionalProperties`.
 *
 * @example
 * const checked = checkExtensionOptions(extension, { phrase: 'hello' })
 */
export function checkExtensionOptions(
  { options: schema }: Extension,
  given: unknown,
): { readonly options: unknown } | { readonly flaws: readonly Flaw[] } {
  const own = given ?? {}
  if (!isSchema(schema)) return { options: own }
  const options: unknown = Value.Default(schema, structuredClone(own))
  const unknown = unknownNames(schema, own).map((name) => ({
    wrong: `has no option ${name}`,
    cure: `Its options are: ${Object.keys(schema['properties'] as object).join(', ') || 'none'}.`,
  }))
  const byPath = new Map<string, Flaw>()
  for (const { path, message } of Value.Errors(schema, options)) {
    const shown = pathOf(path)
    const wrong = shown === 'options' ? 'has options that do not fit' : `has an ${shown} that does not fit`
    // The first problem of a place is the most exact one.
    if (!byPath.has(path)) byPath.set(path, { wrong, cure: `${message}.` })
  }
  const flaws = [...unknown, ...byPath.values()]
  return flaws.length > 0 ? { flaws } : { options }
}

function isSchema(value: unknown): value is TSchema {
  return typeof value === 'object' && value !== null && KindGuard.IsSchema(value)
}

function unknownNames(schema: TSchema, given: unknown): string[] {
  if (!KindGuard.IsObject(schema) || schema.additionalProperties !== undefined) return []
  if (typeof given !== 'object' || given === null) return []
  return Object.keys(given).filter((name) => !Object.hasOwn(schema.properties, name))
}

/** Writes `/words/0` as a person does: `options.words[0]`. */
function pathOf(pointer: string): string {
  const steps = pointer.split('/').slice(1)
  return steps.reduce((path, step) => (/^\d+$/.test(step) ? `${path}[${step}]` : `${path}.${step}`), 'options')
}

function nounOf(value: unknown): string {
  return value === null ? 'null' : `a ${typeof value}`
}
