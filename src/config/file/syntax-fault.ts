import type { Fault } from '../scalar-kinds.ts'

const QUOTES = `Put quotes around the value; around \${NAME}, too, where it stands within { } or [ ].`

/** Faults by the parser's codes. The parser's messages are not shown: they quote the text, which may hold a key. */
const FAULTS: Readonly<Record<string, Fault>> = {
  BAD_ALIAS: { wrong: 'has an anchor or alias without a name', cure: 'Give it a name: &name and *name.' },
  BAD_DIRECTIVE: { wrong: 'is not YAML 1.2', cure: 'Take out the line that begins with %.' },
  BAD_DQ_ESCAPE: {
    wrong: 'has a backslash that escapes nothing',
    cure: 'Write \\\\ for a backslash, or use single quotes.',
  },
  BAD_INDENT: {
    wrong: 'has a line that is not indented as it has to be',
    cure: 'Let keys of one map begin in one column, and close every [ and {.',
  },
  BAD_SCALAR_START: { wrong: 'has a value that begins with a character that YAML keeps for itself', cure: QUOTES },
  BLOCK_AS_IMPLICIT_KEY: {
    wrong: 'has a second key on one line, or a line that is indented by mistake',
    cure: 'Begin a new line for each key, in the column of the others; put a text with ": " in it in quotes.',
  },
  BLOCK_IN_FLOW: { wrong: 'has indented lines within { } or [ ]', cure: 'Use one of the two forms.' },
  MISSING_CHAR: {
    wrong: 'lacks a character: a quote or bracket that closes, or a colon behind a key',
    cure: 'Close what is open, and write keys as "key: value".',
  },
  MULTIPLE_DOCS: { wrong: 'has a second document in it', cure: 'Take out the line --- and what follows it.' },
  MULTILINE_IMPLICIT_KEY: {
    wrong: 'has a line that is no "key: value"',
    cure: 'Write a colon and a space behind the key.',
  },
  NON_STRING_KEY: { wrong: 'has a key that is no text', cure: 'Write keys as plain words.' },
  RESOURCE_EXHAUSTION: { wrong: 'is nested too deeply', cure: 'Write it flatter.' },
  TAB_AS_INDENT: { wrong: 'is indented with a tab here', cure: 'Use spaces: YAML knows no tabs there.' },
  TAG_RESOLVE_FAILED: { wrong: 'has a tag that is not known', cure: 'Take out the word that begins with !.' },
  UNEXPECTED_TOKEN: { wrong: 'has something here that does not belong here', cure: QUOTES },
}

/** The fault behind a code of the YAML parser. */
export function syntaxFault(code: string): Fault {
  return FAULTS[code] ?? { wrong: 'is not valid YAML here', cure: 'Check indentation, quotes, brackets and colons.' }
}
