import type { Secret } from '../../config/secret.ts'
import type { UpstreamSettings } from '../../config/sections/upstreams/upstream.ts'
import type { CheckFinding } from './judge.ts'
import { sendTo } from './send-to.ts'

/**
 * Asks the paths of an upstream's active health check. Gives no finding when the upstream is healthy, when it has no check, or when
 * nothing answers at all, which the question for its models has already found. Never rejects.
 *
 * @example
 * const findings = await askHealth(upstream, upstream.keys[0])
 */
export async function askHealth(upstream: UpstreamSettings, key: Secret | undefined): Promise<CheckFinding[]> {
  const { check, name, baseUrl } = upstream
  if (check === undefined) return []
  const { origin } = new URL(baseUrl)
  const tried: string[] = []
  try {
    for (const target of check.targets) {
      const response = await sendTo(upstream, key, 'GET', { url: new URL(origin + target), target })
      await response.body?.cancel()
      const { status } = response
      tried.push(target)
      if (status === 404 || status === 405) continue
      if (status < 500) return []
      return [{ verdict: 'bad', text: `upstream ${name}: its health, ${origin}${target}, answered ${status}` }]
    }
  } catch {
    return []
  }
  const where = tried.join(', ')
  return [
    {
      verdict: 'unsure',
      text: `upstream ${name} has nothing for its check to ask at ${where}: set upstreams.${name}.check.path.`,
    },
  ]
}
