// Bundles src/ into dist/: each asset is named after its content, so that a browser may keep it for ever.
// No source maps are made: nothing in production shows the sources.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";

const ASSETS = ["app.js", "style.css"];

await rm("dist", { recursive: true, force: true });
await mkdir("dist/assets", { recursive: true });
let page = await readFile("src/index.html", "utf8");
for (const name of ASSETS) {
  const content = await readFile(`src/${name}`);
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const named = name.replace(".", `.${hash}.`);
  await writeFile(`dist/assets/${named}`, content);
  page = page.replaceAll(`/${name}`, `/assets/${named}`);
}
await writeFile("dist/index.html", page);
