import { type Static, Type } from '@sinclair/typebox'
import { MessageContent } from './content-part.ts'
import { nullable, openEnum, openObject, otherType } from './open-object.ts'

const FunctionToolCall = openObject(
  {
    type: Type.Literal('function'),
    id: Type.Optional(Type.String({ description: 'The id that the answer to this call refers to.' })),
    function: Type.Optional(
      openObject(
        {
          name: Type.Optional(Type.String({ description: 'The function to call.' })),
          arguments: Type.Optional(Type.String({ description: 'Its arguments: JSON, as the model wrote it.' })),
        },
        { description: 'The function called and its arguments.' },
      ),
    ),
  },
  { description: 'A call of a function.' },
)

const CustomToolCall = openObject(
  {
    type: Type.Literal('custom'),
    id: Type.Optional(Type.String({ description: 'The id that the answer to this call refers to.' })),
    custom: Type.Optional(
      openObject(
        {
          name: Type.Optional(Type.String({ description: 'The custom tool to call.' })),
          input: Type.Optional(Type.String({ description: 'Its input, as the model wrote it.' })),
        },
        { description: 'The custom tool called and its input.' },
      ),
    ),
  },
  { description: 'A call of a custom tool.' },
)

const OtherToolCall = openObject(
  {
    type: Type.Optional(otherType(['function', 'custom'])),
    id: Type.Optional(Type.String({ description: 'The id that the answer to this call refers to.' })),
  },
  { description: 'A call of a kind of tool that is not known here.' },
)

/** A call of a tool, as the model made it in an earlier turn. */
export const ToolCall = Type.Union([FunctionToolCall, CustomToolCall, OtherToolCall])
export type ToolCall = Static<typeof ToolCall>

/**
 * One message of a conversation, of whatever role.
 *
 * One flat shape for all roles, because a new role must pass, and because it is checked for every message of every
 * request: `tool_calls`, `refusal`, `audio` and `function_call` belong to the assistant, `tool_call_id` to a tool.
 */
export const Message = openObject(
  {
    role: Type.Optional(
      openEnum(['system', 'assistant', 'user', 'function', 'tool', 'developer'], 'Who speaks; other roles pass too.'),
    ),
    content: nullable(MessageContent),
    name: nullable(
      Type.String({ description: 'Tells speakers of one role apart; for the role `function`, the function.' }),
    ),
    tool_calls: nullable(Type.Array(ToolCall, { description: 'The tools that the assistant called.' })),
    tool_call_id: nullable(Type.String({ description: 'Which call this message of a tool answers.' })),
    refusal: nullable(Type.String({ description: 'What the assistant said when it refused.' })),
    audio: nullable(
      openObject(
        { id: Type.Optional(Type.String({ description: 'The id of that spoken answer.' })) },
        { description: 'An earlier spoken answer of the assistant.' },
      ),
    ),
    function_call: nullable(
      openObject(
        {
          name: Type.Optional(Type.String({ description: 'The function to call.' })),
          arguments: Type.Optional(Type.String({ description: 'Its arguments: JSON, as the model wrote it.' })),
        },
        { description: 'The function that the assistant called: the older form of tool_calls.', deprecated: true },
      ),
    ),
  },
  { description: 'One message of the conversation.' },
)
export type Message = Static<typeof Message>
