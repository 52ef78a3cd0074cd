import type OpenAI from 'openai'

const MODEL = 'gpt-4o-mini'
const CATEGORIES = ['billing', 'shipping', 'other'] as const

/** What a ticket is about. */
export type Category = (typeof CATEGORIES)[number]

/** The program under test: a support desk that sorts tickets, and drafts replies to them. */
export class SupportDesk {
  readonly #client: OpenAI

  constructor(client: OpenAI) {
    this.#client = client
  }

  /** Says what a ticket is about; `other` where the model says anything else than a category. */
  async sort(ticket: string): Promise<Category> {
    const completion = await this.#client.chat.completions.create({
      model: MODEL,
      temperature: 0,
      messages: [
        { role: 'system', content: `Sort the ticket. Answer with one word: ${CATEGORIES.join(', ')}.` },
        { role: 'user', content: ticket },
      ],
    })
    const said = completion.choices[0]?.message.content?.trim().toLowerCase()
    return CATEGORIES.find((category) => category === said) ?? 'other'
  }

  /** Drafts a reply to a ticket, piece by piece. */
  async *reply(ticket: string): AsyncGenerator<string> {
    const stream = await this.#client.chat.completions.create({
      model: MODEL,
      stream: true,
      messages: [
        { role: 'system', content: 'Draft a reply to the ticket in one sentence.' },
        { role: 'user', content: ticket },
      ],
    })
    for await (const { choices } of stream) yield choices[0]?.delta.content ?? ''
  }
}
