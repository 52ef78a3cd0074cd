/** A path that is written in the usual way: no escapes, no capitals, no parameters, no empty segment. */
const USUAL = /^(?!v1\/)(?:[^%;/A-Z]+\/)*[^%;/A-Z]+$/
/** How often an upstream may decode a path before it reads it; one would do for an honest one. */
const DECODINGS = 3

/**
 * Gives the path below `/v1/` as the most tolerant upstream reads it, so that no spelling gets past a rule for an endpoint:
 * without escapes, capitals, parameters behind `;`, empty segments, a slash at its end, or another `v1/` in front.
 *
 * @example
 * const isChat = endpointPath('Ch%61t//completions/') === 'chat/completions'
 */
export function endpointPath(written: string): string {
  if (USUAL.test(written)) return written
  let path = written
  for (let times = 0; times < DECODINGS && path.includes('%'); times += 1) {
    path = path.replace(/%([0-7][0-9a-f])/gi, (_code, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
  return path
    .split('/')
    .map((segment) => segment.replace(/;.*$/s, ''))
    .filter((segment) => segment !== '')
    .join('/')
    .toLowerCase()
    .replace(/^(?:v1\/)+/, '')
}
