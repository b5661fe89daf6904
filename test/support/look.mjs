/**
 * Looks at pages in a headless browser. It is copied into a folder in which its packages are installed, reads a
 * request `{ pages: [{ name, file }], shots: [{ name, file, selector, scheme, height, golden }], update }` from
 * its first argument, and prints what it saw.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import chromium from '@sparticuz/chromium';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';
import puppeteer from 'puppeteer-core';

const { pages, shots, update } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');
const browser = await puppeteer.launch({
  executablePath: await chromium.executablePath(),
  args: [...chromium.args, '--no-sandbox'],
  headless: 'shell',
});
const openAll = () => {
  for (const one of document.querySelectorAll('details')) one.open = true;
};

/** A page that notes what it says on its console and asks for. */
async function newPage(file, { width, scheme, media = 'screen' }) {
  const page = await browser.newPage();
  const said = [];
  const asked = [];
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => said.push(String(error)));
  page.on('dialog', (dialog) => {
    said.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => asked.push(request.url()));
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaType(media);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.goto(`file://${file}`);
  return { page, said, asked };
}

/** Everything that can be seen of a page at a width, in a scheme. */
async function look({ name, file }, width, scheme) {
  const { page, said, asked } = await newPage(file, { width, scheme });
  const widthOf = () => page.evaluate(() => document.documentElement.scrollWidth);
  const closed = await widthOf();
  await page.evaluate(openAll);
  const opened = await widthOf();
  // Every table and every receipt is reached by the keyboard alone.
  const unreachable = await page.evaluate(
    () =>
      [...document.querySelectorAll('.scroll, pre')].filter((one) => {
        one.focus();
        return document.activeElement !== one;
      }).length,
  );
  const requests = asked.length;
  await page.setBypassCSP(true);
  await page.reload();
  await page.evaluate(openAll);
  await page.evaluate(axe);
  const violations = await page.evaluate(async () =>
    (await globalThis.axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`),
  );
  await page.close();
  return {
    name,
    width,
    scheme,
    said,
    requests,
    overflow: Math.max(closed, opened) - width,
    unreachable,
    violations,
  };
}

/** On A4 paper, with what is closed on the screen. */
async function printed({ name, file }) {
  const { page, said } = await newPage(file, { width: 703, scheme: 'light', media: 'print' });
  const found = await page.evaluate(() => {
    const parts = [...document.querySelectorAll('table, pre')].map((one) => one.getBoundingClientRect());
    return {
      hidden: parts.filter(({ height }) => height === 0).length,
      width: document.documentElement.scrollWidth,
    };
  });
  await page.close();
  return { name, said, ...found };
}

/** The share of pixels that differ from the golden image; null where it was written. */
async function shot({ name, file, selector, scheme, height, golden }) {
  const { page } = await newPage(file, { width: 360, scheme });
  const y = await page.evaluate((at) => document.querySelector(at).getBoundingClientRect().top, selector);
  const bytes = await page.screenshot({ clip: { x: 0, y, width: 360, height } });
  await page.close();
  if (update || !existsSync(golden)) {
    writeFileSync(golden, bytes);
    return { name, differs: null };
  }
  const [now, before] = [PNG.sync.read(Buffer.from(bytes)), PNG.sync.read(readFileSync(golden))];
  if (now.width !== before.width || now.height !== before.height) return { name, differs: 1 };
  const differs = pixelmatch(now.data, before.data, null, now.width, now.height, { threshold: 0.2 });
  return { name, differs: differs / (now.width * now.height) };
}

const seen = { looks: [], prints: [], shots: [] };
for (const page of pages) {
  for (const width of [360, 1440])
    for (const scheme of ['light', 'dark']) seen.looks.push(await look(page, width, scheme));
  seen.prints.push(await printed(page));
}
for (const one of shots) seen.shots.push(await shot(one));
await browser.close();
process.stdout.write(`${JSON.stringify(seen)}\n`);
