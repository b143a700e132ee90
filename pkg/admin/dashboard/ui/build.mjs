// Builds dist from src. The output depends only on src and on package-lock.json.
import { build } from "esbuild";
import { copyFile, readFile, writeFile } from "node:fs/promises";

await build({
  entryPoints: ["src/main.tsx", "src/app.css"],
  outdir: "dist",
  entryNames: "app",
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome120", "firefox120", "safari17"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none", // licenses.txt has them
  logLevel: "warning",
});
for (const file of ["index.html", "icon.svg"]) {
  await copyFile(`src/${file}`, `dist/${file}`);
}
const { version } = JSON.parse(await readFile("node_modules/preact/package.json", "utf8"));
const license = await readFile("node_modules/preact/LICENSE", "utf8");
await writeFile("dist/licenses.txt", `app.js contains preact ${version}:\n\n${license}`);
