import { lookup } from 'node:dns/promises'
import type { UpstreamSettings } from '../config/sections/upstreams/upstream.ts'
import type { Log } from '../telemetry/log.ts'
import { describeServer, renderBanner } from './banner.ts'
import type { Configuration } from './configuration.ts'
import { environmentProxy } from './environment-proxy.ts'
import { VERSION } from './program.ts'

/**
 * Says that the server listens, in a line of the log or a banner, and warns of an upstream whose name does not resolve. Never rejects.
 *
 * @example
 * await announce(configuration, gateway.url, log)
 */
export async function announce(configuration: Configuration, url: string, log: Log): Promise<void> {
  const { config, source, warnings } = configuration
  const server = describeServer(config, url, VERSION, source.file)
  const { workers } = config
  if (config.log.format === 'json') log.info({ ...server, ...(workers > 1 && { workers }) }, 'listening')
  else process.stdout.write(renderBanner(server, workers, warnings))
  if (config.log.format === 'json') logWarnings(configuration, log)
  await Promise.all(config.settings.upstreams.map((upstream) => warnOfUnknown(upstream, log)))
}

/**
 * Logs the warnings of a configuration: settings that are valid, but most likely not meant.
 *
 * @example
 * logWarnings(configuration, log)
 */
export function logWarnings({ source, warnings }: Configuration, log: Log): void {
  for (const warning of warnings) log.warn({ file: source.file }, warning)
}

async function warnOfUnknown({ name, baseUrl, proxy, auth }: UpstreamSettings, log: Log): Promise<void> {
  // A proxy resolves names itself.
  if (proxy !== 'none' && (proxy !== undefined || isProxied(baseUrl))) return
  const { hostname } = new URL(baseUrl)
  await lookup(hostname.replace(/^\[|\]$/g, '')).catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    const setting = auth === 'either' ? 'OPENAI_API_BASE' : `upstreams.${name}.base_url`
    log.warn(
      { upstream: hostname, cause: code },
      `the upstream's name ${hostname} does not resolve: check ${setting} and this machine's DNS`,
    )
  })
}

/** Whether calls go through a proxy of the environment. Also true for one that is no URL: then calls fail for that, and not for a name. */
function isProxied(baseUrl: string): boolean {
  try {
    return environmentProxy(process.env)?.(new URL(baseUrl)) !== undefined
  } catch {
    return true
  }
}
