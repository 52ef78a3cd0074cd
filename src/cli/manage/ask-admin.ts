/** An object of the Administration API. */
export type AdminObject = Readonly<Record<string, unknown>>

/** Asks the Administration API; `path` is below `/organization`. Rejects with a `ManageProblem` that says why it was refused. */
export type AskAdmin = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<AdminObject>

/** A command of the administration can't be carried out: the message is for the person who gave it. */
export class ManageProblem extends Error {
  /** The status that the administration answered with; undefined: it was not asked. */
  readonly status: number | undefined

  constructor(message: string, { status, cause }: { readonly status?: number; readonly cause?: unknown } = {}) {
    super(message, { cause })
    this.name = 'ManageProblem'
    this.status = status
  }
}

/** The configuration is not valid; its problems are printed already. */
export class InvalidConfiguration extends Error {}

const PAGE = 100

/**
 * All objects of a list, page by page.
 *
 * @example
 * const projects = await listAll(client.ask, '/projects')
 */
export async function listAll(ask: AskAdmin, path: string, query = ''): Promise<readonly AdminObject[]> {
  const all: AdminObject[] = []
  for (let after = ''; ; ) {
    const page = await ask('GET', `${path}?limit=${PAGE}${after}${query}`)
    const data = (page['data'] ?? []) as readonly AdminObject[]
    all.push(...data)
    const last = data.at(-1)
    if (page['has_more'] !== true || last === undefined) return all
    after = `&after=${encodeURIComponent(String(last['id']))}`
  }
}
