import { type Static, Type } from '@sinclair/typebox'
import { anyObject, nullable, openEnum, openObject, otherType } from './open-object.ts'

const functionFields = {
  name: Type.Optional(Type.String({ description: 'What the model calls the function by.' })),
  description: nullable(Type.String({ description: 'Tells the model what the function does and when to call it.' })),
  parameters: nullable(anyObject('The arguments, as a JSON Schema; absent: none.')),
}

const FunctionTool = openObject(
  {
    type: Type.Literal('function'),
    function: Type.Optional(
      openObject(
        {
          ...functionFields,
          strict: nullable(Type.Boolean({ description: 'Whether the arguments must follow the schema exactly.' })),
        },
        { description: 'The function that the model may call.' },
      ),
    ),
  },
  { description: 'A function of the caller.' },
)

const GrammarFormat = openObject(
  {
    type: Type.Literal('grammar'),
    grammar: Type.Optional(
      openObject(
        {
          definition: Type.Optional(Type.String({ description: 'The grammar itself.' })),
          syntax: Type.Optional(openEnum(['lark', 'regex'], 'What the grammar is written in.')),
        },
        { description: 'The grammar that the input must follow.' },
      ),
    ),
  },
  { description: 'Text that follows a grammar.' },
)

const OtherFormat = openObject(
  { type: Type.Optional(otherType(['grammar'])) },
  { description: 'Free text (`text`), or a format that is not known here.' },
)

const CustomTool = openObject(
  {
    type: Type.Literal('custom'),
    custom: Type.Optional(
      openObject(
        {
          name: Type.Optional(Type.String({ description: 'What the model calls the tool by.' })),
          description: nullable(Type.String({ description: 'Tells the model what the tool is for.' })),
          format: nullable(
            Type.Union([GrammarFormat, OtherFormat], { description: 'What the input of the tool looks like.' }),
          ),
        },
        { description: 'The custom tool that the model may call.' },
      ),
    ),
  },
  { description: 'A tool of the caller that takes free text.' },
)

const OtherTool = openObject(
  { type: Type.Optional(otherType(['function', 'custom'])) },
  { description: 'A kind of tool that is not known here.' },
)

/** A tool that the model may call; one of an unknown type passes unchecked. */
export const Tool = Type.Union([FunctionTool, CustomTool, OtherTool])
export type Tool = Static<typeof Tool>

/** A function that the model may call, in the older form (`functions`). */
export const FunctionDefinition = openObject(functionFields, {
  description: 'A function that the model may call.',
  'x-noun': 'function definition',
})
export type FunctionDefinition = Static<typeof FunctionDefinition>

const named = (what: string) =>
  Type.Optional(
    openObject(
      { name: Type.Optional(Type.String({ description: `The name of the ${what}.` })) },
      { description: `The ${what} to call.` },
    ),
  )

const AllowedTools = openObject(
  {
    type: Type.Literal('allowed_tools'),
    allowed_tools: Type.Optional(
      openObject(
        {
          mode: Type.Optional(openEnum(['auto', 'required'], 'Whether one of them must be called.')),
          tools: Type.Optional(
            Type.Array(anyObject('A tool, as it stands in `tools` or named.'), { description: 'Those tools.' }),
          ),
        },
        { description: 'The tools that the model may choose from.' },
      ),
    ),
  },
  { description: 'Some of the tools.' },
)

/** Which tool is to be called: a mode, or an object that names one or several. */
export const ToolChoice = Type.Union(
  [
    openEnum(['none', 'auto', 'required'], 'No tool, as the model sees fit, or at least one.'),
    openObject({ type: Type.Literal('function'), function: named('function') }, { description: 'This function.' }),
    openObject({ type: Type.Literal('custom'), custom: named('custom tool') }, { description: 'This custom tool.' }),
    AllowedTools,
    openObject(
      { type: Type.Optional(otherType(['function', 'custom', 'allowed_tools'])) },
      { description: 'A kind of choice that is not known here.' },
    ),
  ],
  { description: 'Which of the tools is called, if any.' },
)
export type ToolChoice = Static<typeof ToolChoice>

/** Which function is to be called, in the older form. */
export const FunctionCallChoice = Type.Union(
  [
    openEnum(['none', 'auto'], 'No function, or as the model sees fit.'),
    openObject(
      { name: Type.Optional(Type.String({ description: 'The name of the function.' })) },
      { description: 'This function.' },
    ),
  ],
  { description: 'Which of the functions is called, if any; `tool_choice` replaces it.', deprecated: true },
)
