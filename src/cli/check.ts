import type { UpstreamSettings } from '../config/sections/upstreams/upstream.ts'
import type { Settings } from '../config/settings.ts'
import { loadAll } from '../extensions/load/load-all.ts'
import { describeServer } from '../process/banner.ts'
import { readWholeConfiguration } from '../process/configuration.ts'
import { assertTlsWorks } from '../process/listen-checks.ts'
import { refuseOwnAddress } from '../process/own-address.ts'
import { createProcessFetch } from '../process/process-fetch.ts'
import { VERSION } from '../process/program.ts'
import { serverUrl } from '../process/server-url.ts'
import { explainStartFailure, INVALID } from '../process/start-failure.ts'
import { askHealth } from './check/ask-health.ts'
import { askModels } from './check/ask-models.ts'
import { type CheckFinding, judge } from './check/judge.ts'
import { ASK_TIMEOUT_MS } from './check/send-to.ts'
import { unlistedModels } from './check/unlisted-models.ts'
import { explainFailure, wordsFor } from './check/words.ts'
import type { Flags } from './flags.ts'
import { writeOut } from './write-out.ts'

/**
 * Validates the configuration, with the certificate and the extensions that it names, and asks each upstream for its models with each of
 * its keys, which costs nothing. Gives the exit code: 0; 1 where an upstream fails; 2 for an invalid configuration.
 */
export async function check(flags: Pick<Flags, 'config'>): Promise<number> {
  const configuration = await readWholeConfiguration(process.env, flags.config)
  if (configuration === undefined) return INVALID
  const { config, source } = configuration
  try {
    await refuseOwnAddress(config.settings, config.server, createProcessFetch().proxyFor)
    assertTlsWorks(config.server)
    await loadAll(config.settings)
  } catch (cause) {
    // A start would end with the same text.
    process.stderr.write(explainStartFailure(cause, config.server).text)
    return INVALID
  }
  const server = describeServer(config, serverUrl(config.server, config.server.port), VERSION, source.file)
  const lines = [`✓ configuration is valid`, `  base_url  ${server.base_url}`, `  auth      ${server.access}`]
  if (server.ledger !== undefined) lines.push(`  ledger    ${server.ledger}`)
  if (server.config !== undefined) lines.push(`  config    ${server.config}`)
  for (const warning of configuration.warnings) lines.push(`! ${warning}`)
  process.stdout.write(`${lines.join('\n')}\n`)
  const { settings } = config
  const found = await Promise.all(settings.upstreams.map((upstream) => checkUpstream(upstream, settings)))
  const findings = found.flat()
  await writeOut(process.stdout, findings.map(({ verdict, text }) => `${MARKS[verdict]} ${text}\n`).join(''))
  return findings.some(({ verdict }) => verdict === 'bad') ? 1 : 0
}

const MARKS: Readonly<Record<CheckFinding['verdict'], string>> = { good: '✓', unsure: '!', bad: '✗' }

/** Asks one upstream with each of its keys, and compares its models with those that targets name. */
async function checkUpstream(upstream: UpstreamSettings, settings: Settings): Promise<CheckFinding[]> {
  const keys = upstream.keys.length === 0 ? [undefined] : upstream.keys
  const listed = new Set<string>()
  const findings = keys.map(async (key, index): Promise<CheckFinding> => {
    const words = wordsFor(upstream, index)
    const { url, answer } = askModels(upstream, key)
    try {
      const answered = await answer
      for (const model of answered.models ?? []) listed.add(model)
      return judge(answered, { url, hasKey: key !== undefined }, words)
    } catch (cause) {
      const who = words.upstream === 'upstream' ? '' : `${words.upstream} `
      return { verdict: 'bad', text: `${who}${url} does not answer: ${explainFailure(cause, words, ASK_TIMEOUT_MS)}` }
    }
  })
  const asked = await Promise.all(findings)
  return [...asked, ...unlistedModels(upstream, [...listed], settings), ...(await askHealth(upstream, keys[0]))]
}
