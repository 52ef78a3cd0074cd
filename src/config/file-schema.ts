import { type Static, Type } from '@sinclair/typebox'
import { type EditorSchema, editorSchema } from './file/schema/editor-schema.ts'
import { closed, optional } from './file/schema/fields.ts'
import { renderReference } from './file/schema/render-reference.ts'
import { BREAKER_FIELDS } from './sections/breaker.ts'
import { CACHE_FIELDS } from './sections/cache.ts'
import { DEBUG_FIELDS } from './sections/diagnostics.ts'
import { EXTENSIONS_FIELDS } from './sections/extensions.ts'
import { HEDGE_FIELDS } from './sections/hedge.ts'
import { IDEMPOTENCY_FIELDS } from './sections/idempotency.ts'
import { LEDGER_FIELDS } from './sections/ledger.ts'
import { ALL_MODELS_FIELDS, MODELS_FIELDS } from './sections/models.ts'
import { PARAMS_FIELDS } from './sections/params/params.ts'
import { PINS_FIELDS } from './sections/pins.ts'
import { PRICES_FIELDS } from './sections/prices.ts'
import { PROJECTS_FIELDS } from './sections/projects.ts'
import { ALL_OPEN_FIELDS } from './sections/resilience.ts'
import { RETRY_FIELDS } from './sections/retry.ts'
import { CLIENT_DEADLINE_FIELDS, TIMEOUTS_FIELDS } from './sections/timeouts.ts'
import { DEFAULT_UPSTREAM_FIELDS, UPSTREAMS_FIELDS } from './sections/upstreams/upstreams.ts'

/**
 * The configuration file, as it is checked, in the order of the documentation: closed objects, so that no misspelt key goes
 * unnoticed.
 *
 * Durations are milliseconds in its type, as they are once it has been checked.
 */
export const ConfigFile = closed('The file', {
  $schema: optional(Type.String(), 'The JSON Schema of this file, for editors; NexCode does not read it.', {
    examples: ['./nexcode.schema.json'],
  }),
  ...DEBUG_FIELDS,
  ...CLIENT_DEADLINE_FIELDS,
  ...DEFAULT_UPSTREAM_FIELDS,
  ...ALL_MODELS_FIELDS,
  ...ALL_OPEN_FIELDS,
  ...TIMEOUTS_FIELDS,
  ...RETRY_FIELDS,
  ...BREAKER_FIELDS,
  ...HEDGE_FIELDS,
  ...PINS_FIELDS,
  ...UPSTREAMS_FIELDS,
  ...MODELS_FIELDS,
  ...PRICES_FIELDS,
  ...CACHE_FIELDS,
  ...LEDGER_FIELDS,
  ...PROJECTS_FIELDS,
  ...EXTENSIONS_FIELDS,
  ...IDEMPOTENCY_FIELDS,
  ...PARAMS_FIELDS,
})
export type ConfigFile = Static<typeof ConfigFile>

/**
 * The JSON Schema of the configuration file, for editors that complete and check it.
 *
 * @example
 * process.stdout.write(JSON.stringify(jsonSchema(), null, 2))
 */
export function jsonSchema(): EditorSchema {
  return editorSchema(ConfigFile, 'urn:nexcode:configuration-file', 'NexCode configuration file')
}

/**
 * The reference of the configuration file as Markdown, for docs/configuration.md.
 *
 * @example
 * const tables = renderFileReference()
 */
export function renderFileReference(): string {
  return renderReference(ConfigFile)
}
