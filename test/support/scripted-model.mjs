/** An OpenAI-compatible endpoint on loopback that answers by the mark in the prompt, e.g. `[retry] Fill C-1`. */
import { createServer } from 'node:http';

const fill = (...workers) =>
  JSON.stringify({ contract: 'C-1', assignments: workers.map((worker, i) => ({ shift: i + 1, worker })) });

export async function startScriptedModel(onLeave = () => {}) {
  const asked = [];
  let release;
  const released = new Promise((resolve) => {
    release = resolve;
  });

  const scenes = {
    good: () => fill('W-0001', 'W-0002'),
    retry: (prompt) => fill('W-0001', prompt.includes('rejected') ? 'W-0003' : 'W-9999'),
    phantom: () => fill('W-0001', 'W-9999'),
    prose: () => 'I would rather not.',
    // What stands behind the mark, in the first paragraph.
    say: (prompt) => prompt.slice('[say] '.length).split('\n\n')[0],
    text: () => 'Dear Ms Worker, your shift begins at six.',
    leave: async (prompt) => {
      await onLeave();
      return scenes.say(prompt.replace('leave', 'say'));
    },
    leaver: async () => {
      await onLeave();
      return fill('W-0001', 'W-0002');
    },
    wait: async () => {
      await released;
      return fill('W-0001');
    },
  };

  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    asked.push({ headers: request.headers, body });
    const prompt = body.messages.at(-1).content;
    const [, scene = 'good'] = /^\[(\w+)\]/.exec(prompt) ?? [];
    const send = (status, text) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
    if (scene === 'hang') return;
    if (scene === 'busy') {
      return response.writeHead(prompt.includes('429') ? 429 : 503, { 'retry-after': '3600' }).end();
    }
    if (scene === 'down') return send(503, '{"error":"overloaded"}');
    if (scene === 'moved') return response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    if (scene === 'cut') {
      response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy());
      return;
    }
    if (scene === 'html') return send(200, '<html>');
    if (scene === 'empty') return send(200, '{"choices":[]}');
    if (scene === 'huge') return send(200, JSON.stringify({ choices: [], padding: 'x'.repeat(8_000_000) }));
    const content = await scenes[scene](prompt);
    send(
      200,
      JSON.stringify({
        model: `${body.model}-2026-09`,
        choices: [{ message: { role: 'assistant', content }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 800, completion_tokens: 60 },
      }),
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1/chat/completions`,
    asked,
    release,
    close: () =>
      new Promise((resolve) => {
        release();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
