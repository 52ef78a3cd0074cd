const MODEL_CHARS_MAX = 100

/**
 * What a deployment is called in logs, headers and `/ready`: its upstream, its model, and the number of its key from the second
 * on. A model's name may be a caller's: it is cut, and `?` stands for whatever a header could not carry.
 */
export function deploymentLabel(upstream: string, model: string | undefined, keyIndex: number): string {
  const name = model === undefined ? upstream : `${upstream}/${model.slice(0, MODEL_CHARS_MAX)}`
  const number = keyIndex === 0 ? '' : `#${keyIndex + 1}`
  return name.replace(/[^!-~]/g, '?') + number
}
