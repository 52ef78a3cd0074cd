import { modelSentTwice } from '../draft.ts'

/** One parameter of a query, as it stands there. */
interface Written {
  readonly name: string
  readonly value: string | undefined
}

/** The model that a request target's query names; undefined: none. */
export function queryModel(target: string): string | undefined {
  const written = modelsIn(target)[0]
  return written === undefined ? undefined : (new URLSearchParams(textOf(written)).get(MODEL) ?? undefined)
}

/**
 * Asserts that a query names its model once: a server that takes the first of two would see another one than we do.
 * Throws `rules_not_applicable`.
 */
export function assertOneQueryModel(target: string): void {
  if (modelsIn(target).length < 2) return
  throw modelSentTwice()
}

/** The request target with another model in its query; every other byte stays as it was. */
export function withQueryModel(target: string, model: string): string {
  const at = target.indexOf('?') + 1
  if (at === 0) return target
  const changed = parametersOf(target).map((one) =>
    isModel(one) ? `${one.name}=${encodeURIComponent(model)}` : textOf(one),
  )
  return target.slice(0, at) + changed.join('&')
}

const MODEL = 'model'

function modelsIn(target: string): Written[] {
  return parametersOf(target).filter(isModel)
}

function parametersOf(target: string): Written[] {
  const at = target.indexOf('?') + 1
  if (at === 0) return []
  return target
    .slice(at)
    .split('&')
    .map((text) => {
      const [name = '', ...rest] = text.split('=')
      return { name, value: rest.length === 0 ? undefined : rest.join('=') }
    })
}

/** A name may be spelt with escapes. */
function isModel({ name }: Written): boolean {
  return name === MODEL || new URLSearchParams(name).has(MODEL)
}

function textOf({ name, value }: Written): string {
  return value === undefined ? name : `${name}=${value}`
}
