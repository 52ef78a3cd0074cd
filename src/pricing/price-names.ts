/** A date at a model's end: `gpt-4o-2024-08-06`, `claude-sonnet-4-5-20250929`, `gpt-4-0613`, `command-r-08-2024`. */
const DATED = /[-@](?:\d\d-20\d\d|20\d\d-\d\d-\d\d|20\d{6}|\d{4})$/
/** A fine-tuned model: `ft:gpt-4o-mini-2024-07-18:acme::id`. */
const FINE_TUNED = /^(ft:[^:]+):/

/**
 * The names under which a model's price may stand, the most exact one first: as it is, without what makes it a certain fine-tuned one,
 * without providers in front, without a date. A fine-tuned model costs more than the one that it was made of, so it never goes by that
 * one's name.
 *
 * @example
 * priceNames('openai/gpt-4o-2024-08-06') // that, gpt-4o-2024-08-06, openai/gpt-4o, gpt-4o
 */
export function priceNames(model: string): readonly string[] {
  const name = model.toLowerCase().replace(/^models\//, '')
  const tuned = FINE_TUNED.exec(name)?.[1]
  const names = tuned === undefined ? withoutPrefixes(name) : [name, tuned]
  return [...names, ...names.map(undated).filter((one) => !names.includes(one))]
}

function withoutPrefixes(name: string): readonly string[] {
  const names = [name]
  for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
    names.push(name.slice(slash + 1))
  }
  return names
}

/** A model's name without the date at its end. */
export function undated(name: string): string {
  return name.replace(DATED, '')
}
