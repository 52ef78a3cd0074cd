/** How a route's path may be spelled on the request line. */
export interface Spelling {
  readonly name: string
  readonly spell: (path: string) => string
}

const encoded = (char: string): string => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`

/** The last letter of a path in percent-encoding, which some routers decode before and others behind their decision. */
const encodeLast = (path: string): string => path.slice(0, -1) + encoded(path.slice(-1))

/** Spellings that one reader may take for another path than the next: around an open page, or out of the upstream's base. */
export const SPELLINGS: readonly Spelling[] = [
  { name: 'plain', spell: (path) => path },
  { name: 'slash-behind', spell: (path) => `${path}/` },
  { name: 'query', spell: (path) => `${path}?x=/health` },
  { name: 'two-slashes', spell: (path) => `/${path}` },
  { name: 'two-slashes-within', spell: (path) => path.replace(/(?<=.)\//, '//') },
  { name: 'dot', spell: (path) => `/.${path}` },
  { name: 'behind-an-open-page', spell: (path) => `/health/..${path}` },
  { name: 'behind-an-open-page-encoded', spell: (path) => `/health/%2e%2e${path}` },
  { name: 'behind-an-open-page-twice-encoded', spell: (path) => `/docs/%252e%252e${path}` },
  { name: 'behind-an-open-page-slash-encoded', spell: (path) => `/health%2f..${path}` },
  { name: 'behind-an-open-page-parameter', spell: (path) => `/health/..;${path}` },
  { name: 'before-an-open-page', spell: (path) => `${path}/../../../health` },
  { name: 'parameter', spell: (path) => `${path};/health` },
  { name: 'letter-encoded', spell: encodeLast },
  { name: 'slash-encoded', spell: (path) => path.replaceAll(/(?<=.)\//g, '%2f') },
  { name: 'backslash', spell: (path) => path.replaceAll('/', '\\') },
  { name: 'backslash-within', spell: (path) => `${path}\\..\\..\\health` },
  { name: 'nul', spell: (path) => `${path}%00/health` },
  { name: 'line-break-encoded', spell: (path) => `${path}%0d%0aX-A:%20b` },
  { name: 'fragment', spell: (path) => `${path}#/health` },
  { name: 'capitals', spell: (path) => path.toUpperCase() },
  { name: 'whole-url', spell: (path) => `http://localhost${path}` },
  { name: 'whole-url-of-another', spell: (path) => `http://health${path}` },
  { name: 'health-in-front', spell: (path) => `/health${path}` },
]
