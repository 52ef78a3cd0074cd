import { type Html, html } from './html.ts'

/** Renders the first call in Python, Node and curl, with the base URL by which the caller reached this page. */
export function renderQuickStart(baseUrl: string): Html {
  const samples = [
    { title: 'Python', note: 'pip install openai', code: pythonSample(baseUrl) },
    { title: 'Node', note: 'npm install openai', code: nodeSample(baseUrl) },
    { title: 'curl', note: '', code: curlSample(baseUrl) },
  ]
  return html`<p>Any OpenAI client works: set its base URL, change nothing else.</p>
<p class="base-url"><span>Base URL</span> <code>${baseUrl}</code></p>
<div class="samples">
${samples.map(
  ({ title, note, code }) => html`<section aria-labelledby="quick-start-${title}">
<h3 id="quick-start-${title}">${title}${note === '' ? '' : html` <small>${note}</small>`}</h3>
${renderCode(`${title} example`, code)}</section>
`,
)}</div>`
}

/** Renders a block of code that the keyboard can scroll. */
export function renderCode(label: string, code: string): Html {
  return html`<pre role="region" aria-label="${label}" tabindex="0"><code>${code}</code></pre>
`
}

function pythonSample(baseUrl: string): string {
  return `import openai

client = openai.OpenAI(
    base_url=${JSON.stringify(baseUrl)},
    api_key="your-api-key",
)

response = client.chat.completions.create(
    model="gpt-3.5-turbo",
    messages=[{"role": "user", "content": "你好"}],
    temperature=0.7,
)
print(response.choices[0].message.content)`
}

function nodeSample(baseUrl: string): string {
  return `import OpenAI from 'openai'

const client = new OpenAI({
  baseURL: ${JSON.stringify(baseUrl)},
  apiKey: 'your-api-key',
})

const response = await client.chat.completions.create({
  model: 'gpt-3.5-turbo',
  messages: [{ role: 'user', content: '你好' }],
  temperature: 0.7,
})
console.log(response.choices[0].message.content)`
}

function curlSample(baseUrl: string): string {
  return `curl ${quoteForShell(`${baseUrl}/chat/completions`)} \\
  -H 'Content-Type: application/json' \\
  -H 'Authorization: Bearer your-api-key' \\
  -d '{
    "model": "gpt-3.5-turbo",
    "messages": [{"role": "user", "content": "你好"}],
    "temperature": 0.7
  }'`
}

function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
