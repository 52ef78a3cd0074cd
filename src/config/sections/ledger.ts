import { type Static, Type } from '@sinclair/typebox'
import { type EnvReader, row } from '../env-reader.ts'
import { closed, type FieldValues, optional, orFalse, text, words } from '../file/schema/fields.ts'
import type { SectionReader } from '../file/section-reader.ts'
import { byteSize, type Kind, right, wrong } from '../scalar-kinds.ts'
import { Secret } from '../secret.ts'

const ON_DOWN = ['refuse', 'allow'] as const
const UNCAPPED = ['alone', 'learned', 'whole'] as const

/** The settings of the ledger: where the books are, and how they are kept. */
export interface LedgerSettings {
  /** `memory`, `sqlite:PATH`, or `postgres://…`, which may hold a password; undefined: there is no ledger. */
  readonly store: Secret | undefined
  /** `redis://…` and `rediss://…`, where many nodes decide together, and which may hold a password; undefined: the processes of this machine. */
  readonly limits: Secret | undefined
  /** Each call's own row goes after so many days; 0: never. Sums stay. */
  readonly rowDaysMax: number
  /** The oldest rows go where a ledger of SQLite holds more, in bytes; 0: never. */
  readonly storeBytesMax: number
  /** Whether streams are asked for their usage where a limit or the ledger needs it; the caller sees the stream that it asked for. */
  readonly includeUsage: boolean
  /** Whether calls are refused while limits can't be decided, or allowed with a share of them. */
  readonly onDown: (typeof ON_DOWN)[number]
  /**
   * What is held of a budget for a call without a cap, where it has no room for all that the model can write: all that is left, so that one
   * such call is under way at a time; what calls like it have written; or all the same, so that it is refused.
   */
  readonly uncappedCalls: (typeof UNCAPPED)[number]
}

/** The default settings of the ledger: there is none. */
export const LEDGER_DEFAULTS: LedgerSettings = {
  store: undefined,
  limits: undefined,
  rowDaysMax: 90,
  storeBytesMax: 0,
  includeUsage: true,
  onDown: 'refuse',
  uncappedCalls: 'alone',
}

/** The place of the ledger: `memory`, `sqlite:PATH`, `postgres://…`, or `off`. It may hold a password: never shown. */
const ledgerStore: Kind<Secret | undefined> = {
  label: 'store',
  isSecret: true,
  parse(written) {
    if (/^(off|none|false)$/i.test(written)) return right(undefined)
    if (/^(memory|sqlite:.+|postgres(ql)?:\/\/.+)$/.test(written)) return right(new Secret(written))
    return wrong(
      'is no ledger that there is',
      'Use sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE, memory (forgotten at the end), or off.',
    )
  },
}

/** The place of the limits' counters where many nodes share them: never shown. */
const limitsStore: Kind<Secret | undefined> = {
  label: 'store',
  isSecret: true,
  parse(written) {
    if (/^(off|none|false|local)$/i.test(written)) return right(undefined)
    if (/^rediss?:\/\/.+$/.test(written)) return right(new Secret(written))
    return wrong(
      'is no store of limits that there is',
      'Use redis://HOST:PORT or rediss://HOST:PORT; or local for the processes of this machine.',
    )
  },
}

/** The variables of the ledger. */
export const LEDGER_ENV = {
  LEDGER: row({
    name: 'LEDGER',
    kind: ledgerStore,
    default: LEDGER_DEFAULTS.store,
    defaultNote: 'off',
    doc: 'Where keys, limits, usage and cost are kept: sqlite:PATH, postgres://…, memory.',
    example: 'sqlite:/var/lib/nexcode/ledger.sqlite',
  }),
  LIMITS: row({
    name: 'LIMITS',
    kind: limitsStore,
    default: LEDGER_DEFAULTS.limits,
    defaultNote: 'the processes of this machine',
    doc: 'Where the nodes of one ledger count limits and money together: redis://HOST:PORT.',
    example: 'redis://127.0.0.1:6379',
  }),
} as const

const LedgerSection = closed('ledger', {
  store: optional(text(), 'Where keys, limits, usage and cost are kept: sqlite:PATH, postgres://… or memory.', {
    'x-default': 'LEDGER',
    examples: ['sqlite:/var/lib/nexcode/ledger.sqlite'],
  }),
  limits: optional(text(), 'Where several nodes count limits and money together: redis://… or rediss://….', {
    'x-default': 'LIMITS, else the processes of this machine',
    examples: ['redis://127.0.0.1:6379'],
  }),
  usage_retention: optional(
    closed('ledger.usage_retention', {
      days: optional(
        Type.Integer({ minimum: 0, maximum: 36_500 }),
        "After so many days a call's own row goes; 0: never.",
        {
          default: LEDGER_DEFAULTS.rowDaysMax,
        },
      ),
      size: optional(text(), 'The oldest rows go where a ledger of SQLite holds more.', {
        'x-default': 'any size',
        examples: ['10GiB'],
      }),
    }),
    'How long the row of each call is kept. The sums by quarter of an hour and day stay.',
  ),
  include_usage: optional(
    Type.Boolean(),
    'Whether streams are asked for their usage (stream_options) where a limit or the ledger needs it; the caller sees the stream that it asked for.',
    { default: LEDGER_DEFAULTS.includeUsage },
  ),
  on_ledger_down: optional(
    words(ON_DOWN),
    'Whether calls are refused while their limits can not be decided (503), or allowed within a share of the limits.',
    { default: LEDGER_DEFAULTS.onDown },
  ),
  uncapped_calls: optional(
    words(UNCAPPED),
    'What is held of a budget for a call without max_tokens, where it has no room for all that the model can write: all that is left, one call at a time (alone); what such calls have written (learned); or all of it, so that the call is refused (whole).',
    { default: LEDGER_DEFAULTS.uncappedCalls },
  ),
})

/** `ledger` in the file. */
export const LEDGER_FIELDS = {
  ledger: optional(orFalse(LedgerSection), 'The books: keys, limits, usage and cost; false: none.', {
    'x-default': 'LEDGER, else off',
  }),
}

/** The settings of the ledger by the environment alone. */
export function ledgerFromEnv({ take }: EnvReader): LedgerSettings {
  return { ...LEDGER_DEFAULTS, store: take(LEDGER_ENV.LEDGER), limits: take(LEDGER_ENV.LIMITS) }
}

/** The settings of the ledger by the file, and by the environment (`base`) where the file has none. Reports a bad store or size. */
export function ledgerFromFile(
  reader: SectionReader,
  { ledger: section }: FieldValues<typeof LEDGER_FIELDS>,
  base: LedgerSettings,
): LedgerSettings {
  if (section === undefined) return base
  if (section === false) return { ...base, store: undefined }
  const { usage_retention: kept = {} } = section
  const at = reader.at('ledger')
  const settings: LedgerSettings = {
    store: read(at.at('store'), ledgerStore, section.store, base.store),
    limits: read(at.at('limits'), limitsStore, section.limits, base.limits),
    rowDaysMax: kept.days ?? base.rowDaysMax,
    storeBytesMax:
      read(at.at('usage_retention', 'size'), byteSize, kept.size, base.storeBytesMax) ?? base.storeBytesMax,
    includeUsage: section.include_usage ?? base.includeUsage,
    onDown: section.on_ledger_down ?? base.onDown,
    uncappedCalls: section.uncapped_calls ?? base.uncappedCalls,
  }
  if (settings.store === undefined && !at.at('store').isWritten())
    at.report({ wrong: 'has no store', cure: LEDGER_CURE }, 'key')
  return settings
}

/** How to get a ledger. */
export const LEDGER_CURE =
  'Set LEDGER=sqlite:PATH, or ledger: { store: sqlite:PATH } in the file. With memory all of it is forgotten at the end of the process.'

function read<T>(
  reader: SectionReader,
  kind: Kind<T>,
  written: Static<typeof LedgerSection>['store'],
  base: T,
): T | undefined {
  if (written === undefined) return base
  const parsed = kind.parse(written.trim())
  if (parsed.ok) return parsed.value
  reader.report(parsed.fault)
  return undefined
}
