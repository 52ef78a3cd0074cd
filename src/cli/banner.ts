import type { Config } from '../config/config.ts'

/** What a server says of itself when it starts. */
export interface ServerDescription {
  readonly version: string
  readonly url: string
  readonly base_url: string
  readonly upstream: string
  /** Whose key is spent, and how to change that. */
  readonly access: string
  readonly docs: string
}

/**
 * Describes a server that has just started, for its log line or its banner.
 *
 * @example
 * process.stdout.write(renderBanner(describeServer(config, 'http://localhost:8000', VERSION)))
 */
export function describeServer(config: Config, url: string, version: string): ServerDescription {
  return {
    version,
    url,
    base_url: `${url}/v1`,
    upstream: config.upstream.baseUrl,
    access: describeAccess(config),
    docs: `${url}/docs`,
  }
}

function describeAccess({ auth, server, upstream }: Config): string {
  const hasKey = upstream.apiKey !== undefined
  if (auth.required) {
    return `on: callers need one of ${auth.tokens.length} API token(s); ${hasKey ? "the server's OPENAI_API_KEY is spent" : 'no key goes upstream (OPENAI_API_KEY is not set)'}. REQUIRE_AUTH=false lets callers bring their own keys.`
  }
  const own = "off: each caller's own key goes upstream."
  if (!server.isLoopback) {
    return `${own} A caller without one gets a 401${hasKey ? "; the server's OPENAI_API_KEY is not lent on a public address" : ''}. REQUIRE_AUTH=true with API_TOKEN guards this server.`
  }
  if (!hasKey)
    return `${own} A program on this machine without one is passed on without a key. OPENAI_API_KEY lends it the server's.`
  return `${own} A program on this machine without one spends the server's OPENAI_API_KEY. REQUIRE_AUTH=true with API_TOKEN changes that.`
}

/** The banner for a person; `workers` is how many processes serve. */
export function renderBanner(server: ServerDescription, workers = 1): string {
  return `
  NexCode ${server.version}

  base_url   ${server.base_url}
  upstream   ${server.upstream}
  auth       ${server.access}
  docs       ${server.docs}
${workers > 1 ? `  workers    ${workers}\n` : ''}
  Stop with Ctrl-C: requests under way may finish.

`
}
