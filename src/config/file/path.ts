/** The way from the top of a file to a value in it: keys, and positions in lists from 0. */
export type Path = readonly (string | number)[]

const KEY_CHARS_MAX = 64

/**
 * A path as a person reads it: `models.smart.targets[0].upstream`, `models["gpt-4.1"]`; empty for the whole file.
 *
 * A key that may be a secret in place of a name is not shown.
 */
export function renderPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`
      const name = renderKey(step)
      if (!/^[\w-]+$/.test(name)) return `[${name === step ? JSON.stringify(name) : name}]`
      return index === 0 ? name : `.${name}`
    })
    .join('')
}

function renderKey(key: string): string {
  if (key.length > KEY_CHARS_MAX || key.startsWith('sk-')) return '…'
  return key.replace(/\p{Cc}/gu, '?')
}
