/** An option of the command line. */
export interface Option {
  /** Its short form, one letter. */
  readonly short?: string
  /** The name of its value in the help; absent: it takes none. */
  readonly value?: string
  /** Its description, in one line. */
  readonly doc: string
}

/** The options of all commands, by name. */
export const OPTIONS = {
  config: {
    short: 'c',
    value: 'FILE',
    doc: 'the file that says what goes where; else NEXCODE_CONFIG, or nexcode.yaml',
  },
  once: { doc: 'end after the one chat; exit code 0 if it came whole' },
  json: { doc: 'print JSON, for programs' },
  path: { value: '/v1/...', doc: 'the path of the request, where its file does not say' },
  to: { value: 'FOLDER', doc: 'where the recorded exchanges are kept, a file each' },
  from: { value: 'FOLDER', doc: 'where the recorded exchanges are' },
  pace: { value: 'instant|original', doc: 'how fast an answer is played back; instant where not given' },
  'on-miss': {
    value: 'fail|forward|record',
    doc: 'what becomes of a request that was not recorded; fail where not given',
  },
  ignore: { value: 'a,b.c', doc: 'members of the body that are not compared, such as seed,messages.*.name' },
  blank: { value: 'REGEX', doc: 'a pattern whose matches are not compared, in any text; may be given several times' },
  scope: { value: 'NAME', doc: "only one caller's answers" },
  key: { value: 'KEY', doc: 'only this one answer (x-nexcode-cache-key)' },
  project: {
    value: 'NAME',
    doc: 'the project, by its name or id; else the default one. A new key makes one that is missing',
  },
  name: { value: 'NAME', doc: 'what people call it by' },
  models: { value: 'a,b*', doc: 'the only models that may be used, with * for any letters' },
  endpoints: { value: 'a,b', doc: 'the only endpoints that may be called, such as chat/completions,embeddings' },
  budget: {
    value: '50/month',
    doc: 'the most that may be spent, in dollars a day, week, month or in total; several with commas',
  },
  rpm: { value: 'N', doc: 'requests a minute, for each model' },
  tpm: { value: 'N', doc: 'tokens a minute, for each model' },
  rpd: { value: 'N', doc: 'requests a day, for each model' },
  concurrency: { value: 'N', doc: 'calls under way at once' },
  expires: { value: '90d', doc: 'how long it is good for: a number and s, m, h, d, w or y' },
  grace: { value: '48h', doc: 'how long the former value is good for; not at all where not given' },
  'time-zone': { value: 'ZONE', doc: 'whose days, weeks and months count, such as Europe/Berlin; UTC where not given' },
  by: { value: 'key|project|model|day', doc: 'what each line is of; key where not given' },
  since: { value: '7d', doc: 'how long ago it begins; 7d where not given' },
  csv: { doc: 'print CSV, for spreadsheets' },
  url: { value: 'URL', doc: 'ask the server there, by ADMIN_KEY, in place of the configured ledger' },
  port: { value: 'N', doc: 'the port to listen on; 8001 where not given, 0 for any free one' },
} as const satisfies Record<string, Option>

/** The name of an option, without its dashes. */
export type OptionName = keyof typeof OPTIONS

/** The names of all options. */
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[]

/**
 * Gives the description of an option.
 *
 * @example
 * const { value, doc } = optionOf('config')
 */
export function optionOf(name: OptionName): Option {
  return OPTIONS[name]
}
