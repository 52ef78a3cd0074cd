/** It has a margin, so that a reader of this file does not take its imports for ours. */
const TEMPLATE = `
| /// <reference path="./nexcode.d.ts" />
| import { type Extension, Type } from 'nexcode'
|
| /**
|  * An extension of NexCode. Run it with
|  *
|  *     EXTENSIONS=./$NAME.ts nexcode
|  *
|  * or list it in nexcode.yaml, with its options:
|  *
|  *     extensions:
|  *       - path: ./$NAME.ts
|  *         options: { greeting: hello }
|  */
|
| /** What the configuration may say; it is checked when the extension is loaded. Leave it out where there is nothing to say. */
| const options = Type.Object({
|   greeting: Type.String({ default: 'hello' }),
| })
|
| export default {
|   name: '$NAME',
|   options,
|
|   async fetch(request, next, context) {
|     // Other endpoints go by untouched.
|     if (context.endpoint !== 'chat/completions') return next(request)
|
|     // The body, parsed. It is read-only: to change it, send another one on (below).
|     const body = await context.body<{ model?: string; messages?: readonly unknown[] }>()
|     context.log.debug({ model: body?.model, messages: body?.messages?.length }, context.options.greeting)
|
|     // Refuse:   throw context.error(403, { message: 'Not today.', code: 'not_today' })
|     // Answer:   return Response.json({ object: 'chat.completion', choices: [] })
|     // Change:   return next(new Request(request, { body: JSON.stringify({ ...body, temperature: 0 }) }))
|
|     const response = await next(request)
|
|     // Watch or change what comes back, here a header; context.events and context.stream do it for streams.
|     response.headers.set('x-greeting', context.options.greeting)
|     return response
|   },
| } satisfies Extension<typeof options>
`

/**
 * The text of a new extension: it runs as it stands and changes nothing, and says what can be done.
 *
 * @example
 * writeFileSync('hello.ts', renderTemplate('hello'))
 */
export function renderTemplate(name: string): string {
  return TEMPLATE.trimStart().replace(/^\| ?/gm, '').replaceAll('$NAME', name)
}
