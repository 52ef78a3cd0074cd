/**
 * The text of `nexcode.d.ts`: the types of an extension, as the sources have them, in a file that needs nothing beside it.
 *
 * @example
 * writeFileSync('nexcode.d.ts', await renderTypesFile())
 */
export async function renderTypesFile(): Promise<string> {
  const parts = await Promise.all([
    sourceOf(import('../options-schema.ts', { with: { type: 'text' } })),
    sourceOf(import('../extension.ts', { with: { type: 'text' } })),
  ])
  const body = [JSON_TYPES, ...parts.map(declarationsOf)].join('\n')
  return `${HEAD}declare module 'nexcode' {\n${indent(body)}${TAIL}}\n`
}

const HEAD = `/**
 * What an extension of NexCode may import and is given. Written by \`nexcode init extension\`; it can be written anew at any
 * time. An editor finds it by the first line of the extension: /// <reference path="./nexcode.d.ts" />
 */
`

/** A copy of the types in `formats/json/json.ts`: the bundler does not give the text of a file that is also run. */
const JSON_TYPES = `/** A value of JSON (RFC 8259). */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject

/** An object of JSON. */
export interface JsonObject {
  readonly [name: string]: Json
}
`

const TAIL = `
  /** Makes the schema of an extension's options. */
  export const Type: TypeBuilder
`

/** Reads the text of a source, which the bundler puts into the program. The compiler sees a module there. */
async function sourceOf(importing: Promise<unknown>): Promise<string> {
  const { default: text } = (await importing) as { readonly default: string }
  return text
}

/** A file's text without its imports and its functions. */
function declarationsOf(source: string): string {
  return source
    .replace(/^import .*\n+/gm, '')
    .replace(/\/\*\*(?:(?!\*\/)[\s\S])*\*\/\nexport function [\s\S]*?\n\}\n/g, '')
    .trim()
    .concat('\n')
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
