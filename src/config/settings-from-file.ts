import type { SectionReader } from './file/section-reader.ts'
import type { ConfigFile } from './file-schema.ts'
import { cacheFromFile } from './sections/cache.ts'
import { debugHeadersFromFile } from './sections/diagnostics.ts'
import { extensionsFromFile } from './sections/extensions.ts'
import { idempotencyFromFile } from './sections/idempotency.ts'
import { ledgerFromFile } from './sections/ledger.ts'
import { modelsFromFile, unknownModelsFromFile } from './sections/models.ts'
import { paramsFromFile } from './sections/params/params.ts'
import { pinsFromFile } from './sections/pins.ts'
import { pricesFromFile } from './sections/prices.ts'
import { recordsFromFile } from './sections/projects.ts'
import { RESILIENCE_DEFAULTS, resilienceFromFile } from './sections/resilience.ts'
import { clientDeadlineFromFile } from './sections/timeouts.ts'
import { defaultUpstreamFromFile, upstreamsFromFile } from './sections/upstreams/upstreams.ts'
import type { Settings } from './settings.ts'

/** Makes the settings of a checked file, and of the environment (`base`) where the file has none: each section reads its own. */
export function settingsFromFile(reader: SectionReader, config: ConfigFile, base: Settings): Settings {
  const resilience = { ...RESILIENCE_DEFAULTS, ...resilienceFromFile(reader, config, RESILIENCE_DEFAULTS) }
  const upstreams = upstreamsFromFile(reader, config, base.upstreams)
  const ledger = ledgerFromFile(reader, config, base.ledger)
  return {
    hasFile: true,
    upstreams,
    defaultUpstream: defaultUpstreamFromFile(reader, config, upstreams, base.defaultUpstream),
    models: modelsFromFile(reader, config, resilience),
    unknownModels: unknownModelsFromFile(reader, config),
    resilience,
    params: paramsFromFile(reader, config),
    pins: pinsFromFile(reader, config, upstreams),
    prices: pricesFromFile(reader, config),
    debugHeaders: debugHeadersFromFile(config, base.debugHeaders),
    clientDeadline: clientDeadlineFromFile(config),
    cache: cacheFromFile(reader, config, base.cache),
    extensions: extensionsFromFile(reader, config, base.extensions),
    idempotency: idempotencyFromFile(config, base.idempotency),
    ledger,
    records: recordsFromFile(reader, config, ledger),
  }
}
