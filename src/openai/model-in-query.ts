/** A parameter of a query that names a model. */
export interface ModelParameter {
  readonly model: string
  /** Gives the request target with another model there; every other byte stays as it was. */
  readonly withModel: (model: string) => string
}

/** The names of a model in a query, without separators of words: `deployment_id`, `deploymentId`. */
const NAMES: ReadonlySet<string> = new Set([
  ...['model', 'modelid', 'modelname', 'engine', 'engineid', 'deployment', 'deploymentid', 'deploymentname'],
  ...['models', 'fallback', 'fallbacks', 'azuredeployment', 'modelversion', 'enginename', 'llm', 'lora', 'loraname'],
  ...['adapter', 'adapterid', 'deployments', 'engines', 'modelids', 'modelnames'],
])

/**
 * Gives the parameters of a request target's query that name a model, in any spelling. If there are several, a
 * server may go by any of them.
 *
 * @example
 * const [named] = modelsInQuery('/v1/realtime?model=gpt-realtime')
 */
export function modelsInQuery(target: string): readonly ModelParameter[] {
  const at = target.indexOf('?') + 1
  if (at === 0) return []
  // Some servers take a semicolon as a separator of parameters.
  const parts = target.slice(at).split(/([&;])/)
  return parts.flatMap((text, number) => {
    const [written = '', ...rest] = text.split('=')
    const value = rest.join('=')
    if (!isModelName(written)) return []
    const model = new URLSearchParams(`x=${value}`).get('x') ?? ''
    const withModel = (other: string): string =>
      target.slice(0, at) + parts.with(number, `${written}=${encodeURIComponent(other)}`).join('')
    return [{ model, withModel }]
  })
}

function isModelName(written: string): boolean {
  if (NAMES.has(written)) return true
  if (written.length > NAME_CHARS_MAX) return false
  let name = written
  for (let times = 0; times < DECODINGS && /[%+]/.test(name); times += 1)
    name = new URLSearchParams(`x=${name}`).get('x') ?? ''
  return NAMES.has(
    name
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[^a-z]/g, ''),
  )
}

/** How often a server may decode a name; one would do for an honest one. */
const DECODINGS = 3
/** Even escaped three times over, the longest name of a parameter for a model has fewer characters. */
const NAME_CHARS_MAX = 256
